import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Readiness } from './readiness.ts'

/** How long `/readyz` says no before the door closes: time for a load balancer to look away. */
const NOTICE_MS = 2_000

/** How long requests may take after that. What is then still there is a client that does not finish sending. */
const DRAIN_MS = 5_000

const SWEEP_MS = 50

/**
 * Ends the service without losing an answer: it announces the end, takes no more connections, finishes what it
 * has begun, and only then lets go of the database.
 *
 * @param announced whether somebody sends requests here who must hear of it first.
 */
export async function stopGracefully(
  app: FastifyInstance,
  { readiness, announced }: { readiness: Readiness; announced: boolean },
): Promise<void> {
  readiness.withdraw()
  if (announced) await sleep(NOTICE_MS)
  // A connection that was busy when the door closed is idle later, and Node leaves it open then.
  const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MS)
  const cut = setTimeout(() => app.server.closeAllConnections(), DRAIN_MS)
  await app.close()
  clearInterval(sweep)
  clearTimeout(cut)
}
