import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { ProblemCode } from '../errors.ts'

/** The status of a request whose client hung up before the answer, for the log and metrics. nginx calls it so too. */
const CLIENT_GONE = 499

/** Runs once when a request has ended. */
export type EndRequest = (request: FastifyRequest, reply: FastifyReply) => void

/** Logs one line for each request, and runs what else belongs to its end. */
export const requestLog = fp(
  async function requestLog(app: FastifyInstance, { endRequest }: { endRequest: EndRequest }) {
    app.decorateRequest('problemCode', null)
    app.decorateRequest('accountId', null)
    app.decorateRequest('clientId', null)
    const ended = new WeakSet<FastifyRequest>()
    const end = (request: FastifyRequest, reply: FastifyReply) => {
      if (ended.has(request)) return
      ended.add(request)
      endRequest(request, reply)
    }
    app.addHook('onResponse', async (request, reply) => end(request, reply))
    // Fastify runs no `onResponse` when the connection closes first.
    app.addHook('onRequest', (request, reply, done) => {
      reply.raw.once('close', () => {
        if (!ended.has(request)) reply.raw.statusCode = CLIENT_GONE
        end(request, reply)
      })
      done()
    })
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
      ...(request.clientId && { client_id: request.clientId }),
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
    /** The service client of the request, once its secret or token was found right. */
    clientId: string | null
  }
}
