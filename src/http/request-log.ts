import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { ProblemCode } from '../errors.ts'

/** Runs once when a request has ended. */
export type EndRequest = (request: FastifyRequest, reply: FastifyReply) => void

/** Logs one line for each request, and runs what else belongs to its end. */
export const requestLog = fp(
  async function requestLog(app: FastifyInstance, { endRequest }: { endRequest: EndRequest }) {
    app.decorateRequest('problemCode', null)
    app.decorateRequest('accountId', null)
    app.addHook('onResponse', async (request, reply) => endRequest(request, reply))
  },
  { name: 'request-log' },
)

/**
 * The name of a route for the log, metrics and traces; `null` for a path that does not exist. The URL is not used: a
 * person may paste a token into a path or a query.
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
      ...(request.accountId && { account_id: request.accountId }),
      ms: Math.round(reply.elapsedTime * 10) / 10,
    },
    'request',
  )
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The code of the problem that the request was refused with. */
    problemCode: ProblemCode | null
    /** The account of the request, once a guard has found it. */
    accountId: string | null
  }
}
