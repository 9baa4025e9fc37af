import type { HashQueue } from '../../src/crypto/hash-queue.ts'
import type { Instrument } from '../../src/operator/monitoring/instrument.ts'
import { eventually } from './eventually.ts'

/** Hashes that are under way for as long as a test wants. */
export interface HeldHashes {
  instrument: Instrument
  /** Waits until so many are under way and so many more wait for their turn. */
  until(counts: { running: number; waiting: number }): Promise<void>
  running(): number
  /** Lets those that have begun, and all later ones, go on. */
  release(): void
}

export function holdHashes(): HeldHashes {
  const gate = Promise.withResolvers<void>()
  let inner: HashQueue
  let running = 0

  const held =
    <T>(work: () => Promise<T>) =>
    async () => {
      running += 1
      await gate.promise
      return work().finally(() => {
        running -= 1
      })
    }

  return {
    instrument: {
      hashQueue(queue) {
        inner = queue
        return { ...queue, run: (work, options) => queue.run(held(work), options) }
      },
    },
    until: ({ running: begun, waiting }) =>
      eventually(
        `${begun} hashes run and ${waiting} wait`,
        () => running === begun && inner.waiting() === waiting,
      ),
    running: () => running,
    release: () => gate.resolve(),
  }
}
