import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { FastifyBaseLogger } from 'fastify'
import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Clock } from '../platform/clock.ts'
import { VERSION } from '../version.ts'
import { databaseMetrics, diskMetrics } from './database-metrics.ts'
import { eventMetrics } from './event-metrics.ts'
import type { Instrument } from './instrument.ts'
import { metersOf } from './meters.ts'
import { requestMetrics } from './request-metrics.ts'
import { hashMetrics, mailMetrics } from './work-metrics.ts'

/**
 * The numbers for Prometheus, of one service and of its process, such as the event-loop delay. No label names a person or
 * an address.
 */
export type Metrics = ReturnType<typeof makeMetrics>

export function makeMetrics({ clock, databaseUrl }: { clock: Clock; databaseUrl: string }) {
  const registry = new Registry()
  const meters = metersOf(registry)
  collectDefaultMetrics({ register: registry })
  meters.gauge(
    'keyturn_build_info',
    'Always 1: the version, and the Node.js that runs it',
    (gauge) => gauge.set({ version: VERSION, node: process.version }, 1),
    ['version', 'node'],
  )
  diskMetrics(meters, databaseUrl)
  meters.gauge('keyturn_time_seconds', 'The clock of this process, since 1970', (gauge) =>
    gauge.set(clock.now() / 1000),
  )
  return {
    instruments: [
      requestMetrics(meters),
      eventMetrics(meters),
      hashMetrics(meters),
      mailMetrics(meters),
      databaseMetrics(meters, clock),
    ] satisfies Instrument[],
    contentType: registry.contentType,
    /** All metrics in the text format of Prometheus. */
    text: () => registry.metrics(),
  }
}

interface ServerParts {
  metrics: Pick<Metrics, 'text' | 'contentType'>
  host: string
  port: number
  logger: Pick<FastifyBaseLogger, 'error'>
}

/**
 * Serves `/metrics` on a port of its own, so that the public proxy cannot expose it by mistake. It asks for no
 * password: everyone who can reach the port may read it.
 *
 * @throws an error with the `code` of the system when it cannot listen there.
 */
export async function serveMetrics({ metrics, host, port, logger }: ServerParts): Promise<Server> {
  const server = createServer(async ({ method, url }, response) => {
    const found = url?.split('?', 1)[0] === '/metrics'
    if (!found || (method !== 'GET' && method !== 'HEAD')) {
      response.writeHead(found ? 405 : 404, found ? { allow: 'GET, HEAD' } : {}).end()
      return
    }
    try {
      const text = await metrics.text()
      response.writeHead(200, { 'content-type': metrics.contentType }).end(text)
    } catch (err) {
      logger.error({ err }, 'metrics failed')
      response.writeHead(500).end()
    }
  })
  // Longer than from one scrape to the next: where no descriptor is left, the connection that is there still answers.
  server.keepAliveTimeout = 120_000
  server.listen(port, host)
  await once(server, 'listening')
  return server
}
