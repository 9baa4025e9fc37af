/**
 * Stands for async-hook-domain in a lane: an error that is not caught fails the innermost test that runs. Tap's own way to find the
 * test is to watch every promise there is; in a lane one test runs after the other.
 */

type Origin = 'uncaughtException' | 'unhandledRejection'
type Fail = (error: unknown, origin: Origin) => void

/** Of the tests that run, the innermost last. */
const running: Domain[] = []

export class Domain {
  readonly onerror: Fail

  constructor(onerror: Fail) {
    this.onerror = onerror
    running.push(this)
  }

  destroy(): void {
    const index = running.indexOf(this)
    if (index >= 0) running.splice(index, 1)
  }
}

for (const origin of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(origin, (error: unknown) => {
    // Who listens as well sees to it.
    if (process.listenerCount(origin) > 1) return
    const test = running.at(-1)
    if (!test) throw error
    test.onerror(error, origin)
  })
