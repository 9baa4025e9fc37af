import { setTimeout as sleep } from 'node:timers/promises'

/**
 * How long a refusal is held back, in milliseconds: whoever asks again as soon as there is an answer would otherwise
 * keep the service busy with refusing, and everybody else waiting behind that. Of different length for everybody, so
 * that they do not come back all at once.
 */
const HOLD_MS = { least: 25, most: 75 }

/** The queue is full; the work was not started. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError'
  /** Whole seconds until the work that waits now should be done. */
  readonly retryAfter: number

  constructor(retryAfter: number) {
    super('The hash queue is full')
    this.retryAfter = retryAfter
  }
}

export interface HashQueueOptions {
  /** Drops the work if it is still waiting when the signal fires: nobody is left to read it. */
  signal?: AbortSignal | undefined
  /** What must be done before, and only for work that has a place: who is refused has cost nothing. */
  first?: (() => Promise<void>) | undefined
}

/** Runs costly work a few at a time, lets a bounded number wait, and refuses the rest. */
export interface HashQueue {
  /**
   * @throws {QueueFullError} when too many wait already.
   * @throws the signal's reason when it fires before the work has begun.
   * @throws what `first` throws; the work is not begun then.
   */
  run<T>(work: () => Promise<T>, options?: HashQueueOptions): Promise<T>
  /** Pieces of work that wait. */
  readonly waiting: number
}

/**
 * @param concurrency pieces of work under way at once.
 * @param capacity pieces of work that may wait.
 */
export function makeHashQueue({
  concurrency,
  capacity,
}: {
  concurrency: number
  capacity: number
}): HashQueue {
  const waiting = new Set<() => void>()
  let running = 0
  /** Have a place, and something to do before they take or wait for their turn. */
  let entering = 0
  let meanMs = 50

  /** The caller has taken a slot by counting itself in `running`. */
  async function perform<T>(work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    try {
      return await work()
    } finally {
      meanMs += (performance.now() - startedAt - meanMs) / 8
      running -= 1
      waiting.values().next().value?.()
    }
  }

  async function enter(first: () => Promise<void>): Promise<void> {
    entering += 1
    try {
      await first()
    } finally {
      entering -= 1
    }
  }

  function slot(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting.delete(start)
        signal?.removeEventListener('abort', abandon)
      }
      const start = () => {
        leave()
        running += 1
        resolve()
      }
      const abandon = () => {
        leave()
        reject(signal?.reason)
      }
      waiting.add(start)
      signal?.addEventListener('abort', abandon, { once: true })
    })
  }

  return {
    get waiting() {
      return waiting.size
    },
    async run(work, { signal, first } = {}) {
      signal?.throwIfAborted()
      if (running + entering + waiting.size >= concurrency + capacity) {
        await sleep(HOLD_MS.least + Math.random() * (HOLD_MS.most - HOLD_MS.least), undefined, { signal })
        throw new QueueFullError(Math.max(1, Math.ceil((waiting.size * meanMs) / concurrency / 1000)))
      }
      if (first) {
        await enter(first)
        signal?.throwIfAborted()
      }
      if (running < concurrency) running += 1
      else await slot(signal)
      return perform(work)
    },
  }
}
