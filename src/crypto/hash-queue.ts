import { setTimeout as sleep } from 'node:timers/promises'
import { StacklessError } from '../platform/stackless-error.ts'

/**
 * How long a refusal is held back, in milliseconds: whoever asks again as soon as there is an answer would otherwise
 * keep the service busy with refusing, and everybody else waiting behind that. Of different length for everybody, so
 * that they do not come back all at once.
 */
const HOLD_MS = { least: 50, most: 80 }

/**
 * For so long after a refusal one piece of work fewer runs at a time, in milliseconds: whoever needs none of it gets
 * a core of its own while there is a flood.
 */
const RELIEF_MS = 1_000

/** The queue is full; the work was not started. */
export class QueueFullError extends StacklessError {
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

/**
 * Runs costly work a few at a time, lets a bounded number wait, and refuses the rest. While it refuses, it runs one
 * fewer at a time.
 */
export interface HashQueue {
  /**
   * Whether there is a place, for those who would do something before they ask for it. It is not kept for them.
   *
   * @throws {QueueFullError} when too many wait already.
   */
  admit(): Promise<void>
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
  let refusedAt = Number.NEGATIVE_INFINITY

  const isFull = () => running + entering + waiting.size >= concurrency + capacity
  const atOnce = () =>
    performance.now() - refusedAt < RELIEF_MS ? Math.max(1, concurrency - 1) : concurrency

  async function refuse(): Promise<never> {
    refusedAt = performance.now()
    await sleep(HOLD_MS.least + Math.random() * (HOLD_MS.most - HOLD_MS.least))
    throw new QueueFullError(Math.max(1, Math.ceil((waiting.size * meanMs) / atOnce() / 1000)))
  }

  function startNext(): void {
    for (const start of waiting) {
      if (running >= atOnce()) return
      start()
    }
  }

  /** The caller has taken a slot by counting itself in `running`. */
  async function perform<T>(work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    try {
      return await work()
    } finally {
      meanMs += (performance.now() - startedAt - meanMs) / 8
      running -= 1
      startNext()
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
    async admit() {
      if (isFull()) await refuse()
    },
    async run(work, { signal, first } = {}) {
      signal?.throwIfAborted()
      if (isFull()) await refuse()
      if (first) {
        await enter(first)
        signal?.throwIfAborted()
      }
      if (running < atOnce() && waiting.size === 0) running += 1
      else await slot(signal)
      return perform(work)
    },
  }
}
