import type { FastifyInstance } from 'fastify'

/**
 * Answers a request with an unknown expectation like any other (RFC 9110 section 10.1.1 leaves the choice). Node.js
 * itself would answer 417 without a body, without running a hook, and not in the form that clients know.
 */
export function ignoreExpectations({ server }: FastifyInstance): void {
  server.on('checkExpectation', (request, response) => void server.emit('request', request, response))
}
