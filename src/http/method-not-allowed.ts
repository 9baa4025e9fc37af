import type { FastifyInstance, HTTPMethods } from 'fastify'
import { methodNotAllowed, notFound } from '../errors.ts'

const METHODS: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/**
 * Answers 405 with `Allow` (RFC 9110 section 15.5.6) where a path exists but not for the method, and 404 where
 * there is no path at all; both before a body is read, whose faults are no concern then.
 *
 * @returns what to call after all routes are registered: it adds to each path the methods none of them serves.
 */
export function trackMethods(app: FastifyInstance): { refuseOthers(): void } {
  const served = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const methods = served.get(url) ?? new Set()
    for (const name of [method].flat()) methods.add(name)
    served.set(url, methods)
  })

  return {
    refuseOthers() {
      app.addHook('onRequest', async (request) => {
        if (request.is404) throw notFound()
      })
      for (const [url, methods] of [...served]) {
        const allow = [...methods].sort()
        app.route({
          method: METHODS.filter((method) => !methods.has(method)),
          url,
          schema: { hide: true },
          onRequest: async () => {
            throw methodNotAllowed(allow)
          },
          handler: async () => {},
        })
      }
    },
  }
}
