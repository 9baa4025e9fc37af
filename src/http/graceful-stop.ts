import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Readiness } from './readiness.ts'

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
