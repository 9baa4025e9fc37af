import { setTimeout as sleep } from 'node:timers/promises'

/** Asks until the answer is yes. @throws when it was not in so many seconds. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  seconds = 10,
): Promise<void> {
  const deadline = performance.now() + seconds * 1000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Not within ${seconds} s: ${what}`)
    await sleep(50)
  }
}
