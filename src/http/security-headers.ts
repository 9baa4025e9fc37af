import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/**
 * For answers that are data and never a page. `no-store` is the rule, since most answers carry a token, a
 * code or a secret; a public document says otherwise itself.
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

/** What every answer says about itself, and the name under which the log has the request. */
export function answerHeaders(requestId: string): Record<string, string> {
  return { ...HEADERS, 'x-request-id': requestId }
}

/** Security headers on every answer, errors and unknown paths too. */
export const securityHeaders = fp(
  async function securityHeaders(app: FastifyInstance) {
    app.addHook('onRequest', async (request, reply) => {
      reply.headers(answerHeaders(request.id))
    })
  },
  { name: 'security-headers' },
)
