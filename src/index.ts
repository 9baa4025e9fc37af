import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { hashThreads } from './crypto/thread-pool.ts'
import { type ServiceOptions, settingsOf } from './service-options.ts'
import { faultOfNode } from './version.ts'

export type { ServiceOptions }

/** Methods whose requests reach the service; it answers the ones that a path does not take with 405 itself. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/**
 * Keyturn as a plugin of another Fastify application. It is a whole application behind the prefix: requests under it
 * are handed over before the host looks at their body, so error handler, body parsers, schemas, decorators and limits
 * of the host stay its own, and the service keeps its own. It opens its database when the host gets ready, and closes
 * with it.
 *
 * @throws {ConfigError} when an option is not fit to start with.
 * @throws {Error} when this Node.js is too old: a sentence, without a trace.
 */
const keyturn: FastifyPluginAsync<ServiceOptions> = async (host, { prefix: _, ...settings }) => {
  const fault = faultOfNode(process.versions.node)
  if (fault) throw Object.assign(new Error(fault), { stack: fault })
  const { ConfigError, readConfig } = await import('./config.ts')
  const { openService } = await import('./open-service.ts')
  const { basePathOf } = await import('./platform/hosts.ts')
  if (/[:*]/.test(host.prefix)) throw new ConfigError(['The prefix must be one path, without parameters'])
  const config = readConfig(settingsOf(settings))
  const path = basePathOf(config.issuer)
  if (path !== host.prefix)
    host.log.warn(`The path of issuer is "${path}" and the prefix "${host.prefix}": links lead to the former`)
  const { app, service } = await openService({
    config,
    logger: host.log,
    hashThreads: hashThreads(process.env),
  })
  host.addHook('preClose', async () => service.readiness.withdraw())
  host.addHook('onClose', () => app.close())
  await app.ready()
  handOver(host, app)
}

export default keyturn

function handOver(host: FastifyInstance, app: FastifyInstance): void {
  host.addHook('onRequest', async (request, reply) => {
    const { raw } = request
    const path = pathBehind(host.prefix, raw)
    if (path === null) return reply.callNotFound()
    // Fastify keeps the whole URL as originalUrl when it is first asked for.
    const { originalUrl } = request
    reply.hijack()
    raw.url = path
    reply.raw.prependOnceListener('finish', () => {
      raw.url = originalUrl
    })
    app.routing(raw, reply.raw)
  })
  for (const url of ['/', '/*'])
    host.route({ method: METHODS, url, schema: { hide: true } as object, handler: async () => {} })
}

/** `null` for a spelling that the router takes for the prefix and that is not it. */
function pathBehind(prefix: string, { url = '' }: IncomingMessage): string | null {
  // The absolute form of a URL (RFC 9112 section 3.2.2).
  const path = url.replace(/^https?:\/\/[^/?]*/i, '')
  const rest = path.slice(prefix.length)
  if (!path.startsWith(prefix) || !/^([/?]|$)/.test(rest)) return null
  return rest.startsWith('/') ? rest : `/${rest}`
}
