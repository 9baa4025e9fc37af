import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

/**
 * One line for each request. It names the route, not the URL: what somebody pastes into a path or a query
 * may be a token.
 */
export const requestLog = fp(
  async function requestLog(app: FastifyInstance) {
    app.decorateRequest('problemCode', null)
    app.addHook('onResponse', async (request, reply) => logRequest(request, reply))
  },
  { name: 'request-log' },
)

export function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  request.log.info(
    {
      method: request.method,
      route: request.routeOptions.url ?? null,
      status: reply.statusCode,
      ...(request.problemCode && { problem: request.problemCode }),
      ip: request.ip,
      ...(request.principal && { account_id: request.principal.account.id }),
      ms: Math.round(reply.elapsedTime * 10) / 10,
    },
    'request',
  )
}
