import type { FastifyInstance, HTTPMethods } from 'fastify'
import { methodNotAllowed, notFound } from '../errors.ts'

const METHODS: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/**
 * Answers 405 with `Allow` (RFC 9110 section 15.5.6) for a path that does not have the method, and 404 for a path
 * that does not exist. Both come before the body is read, so its faults do not matter.
 *
 * @returns a function to call after all routes are registered: it adds the missing methods to each path.
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
