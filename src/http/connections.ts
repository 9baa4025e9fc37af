import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Readiness } from './readiness.ts'

/** So many open connections are as good as free; a flood of idle ones is not kept for as long. */
export const MANY_CONNECTIONS = 2_000

const SHORT_MS = 9_000

/** While there are many connections, idle ones are given up early: those that are idle now, and the next ones after seconds. */
export function sparesConnections(server: Server, many: number): void {
  const longMs = server.keepAliveTimeout
  let open = 0
  server.on('connection', (socket) => {
    open += 1
    if (open === many) {
      server.keepAliveTimeout = Math.min(SHORT_MS, longMs)
      server.closeIdleConnections()
    }
    socket.once('close', () => {
      if (open === many) server.keepAliveTimeout = longMs
      open -= 1
    })
  })
}

/**
 * Answers a request with an unknown expectation like any other (RFC 9110 section 10.1.1 leaves the choice). Node.js
 * itself would answer 417 without a body, without running a hook, and not in the form that clients know.
 */
export function ignoreExpectations({ server }: FastifyInstance): void {
  server.on('checkExpectation', (request, response) => void server.emit('request', request, response))
}

/** How long `/readyz` reports the end before the port closes: time for a load balancer to stop sending requests. */
const NOTICE_MS = 2_000

/**
 * How long requests may take after that. Those that are still open then come from clients that do not finish sending.
 */
const DRAIN_MS = 5_000

const SWEEP_MS = 50

/**
 * Ends the service without losing an answer. It announces the end, accepts no more connections, finishes the requests
 * it has begun, and only then closes the database.
 *
 * @param announced whether a load balancer must learn of the end first.
 */
export async function stopGracefully(
  app: FastifyInstance,
  { readiness, announced }: { readiness: Readiness; announced: boolean },
): Promise<void> {
  readiness.withdraw()
  if (announced) await sleep(NOTICE_MS)
  // A connection that was busy when the port closed becomes idle later, and Node leaves it open then.
  const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MS)
  const cut = setTimeout(() => app.server.closeAllConnections(), DRAIN_MS)
  await app.close()
  clearInterval(sweep)
  clearTimeout(cut)
}
