import { type Connection, openConnection } from './connection.ts'
import type { MeasuredProcess } from './measured-process.ts'

/** What a short stretch of load has shown. */
export interface Slice {
  /** Steps completed within it. */
  steps: number
  seconds: number
  /** Of each completed step. */
  latenciesMs: number[]
  /** CPU time of the server's processes. */
  cpuMs: number
  rssBytes: number
  delayP99Ms: number
}

/** One step of one client: it throws when the answer is not the expected one. */
export type Step = (connection: Connection) => Promise<void>

export function pausing(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Until the clients are spread over the stages of a step, as they are under steady load. */
const RAMP_MS = 300

/**
 * Closed-loop load: each client takes its next step when it has the answer to the last. Only what completes
 * between the ramp and the end counts, so that neither the start nor the clients' last answers distort it.
 */
export async function measureSlice(
  server: MeasuredProcess,
  step: Step,
  { clients, seconds }: { clients: number; seconds: number },
): Promise<Slice> {
  const connections = await Promise.all(Array.from({ length: clients }, () => openConnection(server.port)))
  const latenciesMs: number[] = []
  let counting = false
  let over = false

  async function client(connection: Connection): Promise<void> {
    while (!over) {
      const startedAt = performance.now()
      await step(connection)
      if (counting) latenciesMs.push(performance.now() - startedAt)
    }
  }

  const running = Promise.all(connections.map(client))
  // A fault ends the measurement at once, and not when the time is up.
  const pause = (ms: number) => Promise.race([running, pausing(ms)])
  try {
    await pause(RAMP_MS)
    const before = await server.usage('begin')
    const startedAt = performance.now()
    counting = true
    await pause(seconds * 1000)
    counting = false
    const elapsed = performance.now() - startedAt
    const after = await server.usage('end')
    return {
      steps: latenciesMs.length,
      seconds: elapsed / 1000,
      latenciesMs,
      cpuMs: after.cpuMs - before.cpuMs,
      rssBytes: after.rssBytes,
      delayP99Ms: after.delayP99Ms,
    }
  } finally {
    over = true
    await running
    for (const connection of connections) connection.close()
  }
}
