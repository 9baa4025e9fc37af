import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

/** What is done when a request has ended, once for each. */
export type EndRequest = (request: FastifyRequest, reply: FastifyReply) => void

/** One line for each request, and whatever else is told of its end. */
export const requestLog = fp(
  async function requestLog(app: FastifyInstance, { endRequest }: { endRequest: EndRequest }) {
    app.decorateRequest('problemCode', null)
    app.addHook('onResponse', async (request, reply) => endRequest(request, reply))
  },
  { name: 'request-log' },
)

/**
 * The name of a route, in the log, in metrics and in traces alike; `null` where there is none. It is not the URL:
 * what somebody pastes into a path or a query may be a token.
 */
export function routeOf(request: FastifyRequest): string | null {
  return request.routeOptions.url ?? null
}

export function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  request.log.info(
    {
      method: request.method,
      route: routeOf(request),
      status: reply.statusCode,
      ...(request.problemCode && { problem: request.problemCode }),
      ip: request.ip,
      ...(request.principal && { account_id: request.principal.account.id }),
      ms: Math.round(reply.elapsedTime * 10) / 10,
    },
    'request',
  )
}
