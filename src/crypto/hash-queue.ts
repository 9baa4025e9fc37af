import { setTimeout as sleep } from 'node:timers/promises'
import { StacklessError } from '../platform/stackless-error.ts'

/**
 * How long a refusal is held back, in milliseconds: a client that asks again as soon as it has an answer would keep the
 * service busy with refusing, and all others waiting behind that. The length differs, so that refused clients do not
 * come back all at once.
 *
 * In a flood on two cores `GET /me` takes 0.75 times as long at p50 and 0.61 at p99 as with 1 to 2 ms, and 0.68 times
 * as many refusals are written: `node test/bench/cleverness.ts hold` measures it.
 */
const HOLD_MS = { least: 50, most: 80 }

/** The most refusals that are held back at once, because each takes memory. Further ones are sent at once. */
const MOST_HELD = 1_000

/**
 * So many refusals for each piece of work that is done are a flood, and no busy hour: then `inFlood` counts.
 *
 * On two cores, which hash one at a time then, `GET /me` takes 0.68 times as long at p50 and `POST /2fa/verify` 0.78,
 * for 0.79 times as many hashes: `node test/bench/cleverness.ts flood-cores` measures it.
 */
const FLOOD = 5

/** How many of the last pieces of work are used to tell how long one takes, and whether there is a flood. */
const REMEMBERED = 8

/** The queue is full; the work was not started. */
export class QueueFullError extends StacklessError {
  override readonly name = 'QueueFullError'
  /** Whole seconds until the work that waits now is expected to be done. */
  readonly retryAfter: number

  constructor(retryAfter: number) {
    super('The hash queue is full')
    this.retryAfter = retryAfter
  }
}

export interface HashQueueOptions {
  /** Drops the work if it still waits when the signal fires: the client is gone. */
  signal?: AbortSignal | undefined
  /** Runs before the work, and only for work that has a place: a refused request has cost nothing. */
  first?: (() => Promise<void>) | undefined
}

interface Limits {
  /**
   * Pieces of work under way at once. As many as cores are best for hashes: with four times as many on two cores there
   * were half as many logins a second, and 300 MiB at most instead of 211
   * (`node test/bench/cleverness.ts concurrency`).
   */
  concurrency: number
  /** The same in a flood of refusals. */
  inFlood?: number
  /** Pieces of work that may wait. */
  capacity: number
}

/**
 * Runs costly work a few pieces at a time, lets a bounded number wait, and refuses the rest. In a flood of refusals
 * it runs fewer at a time, so that requests without such work get a core.
 */
export type HashQueue = ReturnType<typeof makeHashQueue>

export function makeHashQueue({ concurrency, inFlood = concurrency, capacity }: Limits) {
  const waiting = new Set<() => void>()
  let running = 0
  /** Pieces of work that have a place and run `first` before their turn. */
  let entering = 0
  let meanMs = 50
  let held = 0
  let refused = 0
  /** Recent refusals for each piece of work that was done. */
  let pressure = 0

  const atOnce = () => (pressure > FLOOD ? inFlood : concurrency)
  const isFull = () => running + entering + waiting.size >= atOnce() + capacity

  async function refuse(): Promise<never> {
    refused += 1
    if (held < MOST_HELD) {
      held += 1
      await sleep(HOLD_MS.least + Math.random() * (HOLD_MS.most - HOLD_MS.least))
      held -= 1
    }
    throw new QueueFullError(Math.max(1, Math.ceil((waiting.size * meanMs) / atOnce() / 1000)))
  }

  function measurePressure(): void {
    pressure += (refused - pressure) / REMEMBERED
    refused = 0
  }

  function startNext(): void {
    for (const start of waiting) {
      if (running >= atOnce()) return
      start()
    }
  }

  /** The caller has already taken a slot by counting itself in `running`. */
  async function perform<T>(work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    try {
      return await work()
    } finally {
      meanMs += (performance.now() - startedAt - meanMs) / REMEMBERED
      running -= 1
      measurePressure()
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
    /** The number of pieces of work that wait. */
    waiting: () => waiting.size,

    /** Whether the next piece of work would be refused: for optional work, which is left out then. */
    full: isFull,

    /**
     * Checks for a place before the caller does something else first. The place is not reserved.
     *
     * @throws {QueueFullError} when too many wait already.
     */
    async admit(): Promise<void> {
      if (isFull()) await refuse()
    },

    /**
     * @throws {QueueFullError} when too many wait already.
     * @throws the reason of the signal when it fires before the work has begun.
     * @throws what `first` throws; the work is not begun then.
     */
    async run<T>(work: () => Promise<T>, { signal, first }: HashQueueOptions = {}): Promise<T> {
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
