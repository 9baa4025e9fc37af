import type { FastifyInstance } from 'fastify'

/**
 * A request that expects something unheard of is answered like any other (RFC 9110 section 10.1.1 leaves the
 * choice): Node.js by itself would answer 417 with no body, past every hook and in no form that clients know.
 */
export function ignoreExpectations({ server }: FastifyInstance): void {
  server.on('checkExpectation', (request, response) => void server.emit('request', request, response))
}
