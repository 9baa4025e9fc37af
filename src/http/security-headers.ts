import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/**
 * For answers that are data and never a page. `no-store` is the default, since most answers carry a token, a code or
 * a secret. Public documents set their own value.
 */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** Headers of every answer, and the id by which the log has the request. */
export function answerHeaders(requestId: string): Record<string, string> {
  return { ...HEADERS, 'x-request-id': requestId }
}

/** Sets security headers on every answer, also for errors and unknown paths. */
export const securityHeaders = fp(
  async function securityHeaders(app: FastifyInstance) {
    app.addHook('onRequest', async (request, reply) => {
      reply.headers(answerHeaders(request.id))
    })
  },
  { name: 'security-headers' },
)
