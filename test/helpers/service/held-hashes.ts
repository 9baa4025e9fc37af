import type { HashQueue } from '../../../src/crypto/hash-queue.ts'
import type { Instrument } from '../../../src/monitoring/instrument.ts'
import { eventually } from '../requests/eventually.ts'

/** Hashes that are under way for as long as a test wants, once it holds them. */
export interface HeldHashes {
  instrument: Instrument
  /** Waits until so many are under way and so many more wait for their turn. */
  until(counts: { running: number; waiting: number }): Promise<void>
  running(): number
  /** Those that begin from now on do not end. */
  hold(): void
  /** Lets those that have begun, and all later ones, go on. */
  release(): void
}

export function holdableHashes(): HeldHashes {
  let gate = Promise.withResolvers<void>()
  gate.resolve()
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
    hold: () => {
      gate = Promise.withResolvers<void>()
    },
    release: () => gate.resolve(),
  }
}
