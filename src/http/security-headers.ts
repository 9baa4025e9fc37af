import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { AppError } from '../errors.ts'
import { texts } from '../texts/texts.ts'
import { isSentTwice } from './sent-twice.ts'

/**
 * For answers that are data and never a page. `no-store` is the default, since most answers carry a token, a code or
 * a secret. Public documents set their own value.
 */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** For its own host alone (RFC 6797 section 6.1.2): what others of the domain speak is not known here. */
const HSTS = { 'strict-transport-security': 'max-age=31536000' }

/** Headers of an answer, with the id by which the log has the request. */
export type HeadersOf = (requestId: string) => Record<string, string>

export function answerHeaders(issuer: string): HeadersOf {
  const headers = { ...HEADERS, ...(issuer.startsWith('https:') && HSTS) }
  return (requestId) => ({ ...headers, 'x-request-id': requestId })
}

/**
 * Sets security headers on every answer, also for errors and unknown paths. Refuses a request that does not say to
 * which host it goes, or says it twice (RFC 9112 section 3.2): Node.js takes the first, and a proxy perhaps the last.
 */
export const securityHeaders = fp(
  async function securityHeaders(app: FastifyInstance, { headersOf }: { headersOf: HeadersOf }) {
    app.addHook('onRequest', async (request, reply) => {
      reply.headers(headersOf(request.id))
      const { headers, httpVersion } = request.raw
      if (isSentTwice(request, 'host') || (headers.host === undefined && httpVersion === '1.1'))
        throw new AppError('bad_request', texts.details.hostTwice)
    })
  },
  { name: 'security-headers' },
)
