import { setTimeout as sleep } from 'node:timers/promises'
import { StacklessError } from '../platform/stackless-error.ts'

/**
 * How long a refusal is held back, in milliseconds: whoever asks again as soon as there is an answer would otherwise
 * keep the service busy with refusing, and everybody else waiting behind that. Of different length for everybody, so
 * that they do not come back all at once.
 */
const HOLD_MS = { least: 50, most: 80 }

/** Beyond so many that are held back, the next are refused at once: each takes memory meanwhile. */
const MOST_HELD = 1_000

/** So many refusals for each piece of work that is done are a flood, and no busy hour. */
const FLOOD = 5

/** How many of the last pieces of work tell how long one takes, and whether there is a flood. */
const REMEMBERED = 8

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
 * Runs costly work a few at a time, lets a bounded number wait, and refuses the rest. In a flood of refusals it runs
 * fewer at a time, so that whoever needs none of it gets a core.
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
  waiting(): number
  /** Whether the next would be refused: for work that is not owed. */
  full(): boolean
}

/**
 * @param concurrency pieces of work under way at once.
 * @param inFlood the same in a flood of refusals.
 * @param capacity pieces of work that may wait.
 */
export function makeHashQueue({
  concurrency,
  inFlood = concurrency,
  capacity,
}: {
  concurrency: number
  inFlood?: number
  capacity: number
}): HashQueue {
  const waiting = new Set<() => void>()
  let running = 0
  /** Have a place, and something to do before they take or wait for their turn. */
  let entering = 0
  let meanMs = 50
  let held = 0
  let refused = 0
  /** Refusals for each piece of work that was done lately. */
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

  /** The caller has taken a slot by counting itself in `running`. */
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
    waiting: () => waiting.size,
    full: isFull,
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
