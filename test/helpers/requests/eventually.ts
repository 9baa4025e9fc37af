import { setTimeout as sleep } from 'node:timers/promises'

/** Ends a hang, and states nothing of how long anything takes. */
const PATIENCE_MS = 300_000

/** Asks until the answer is yes. @throws when it never is. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`It never came: ${what}`)
    await sleep(20)
  }
}
