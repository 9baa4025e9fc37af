import { setTimeout as sleep } from 'node:timers/promises'
import { StacklessError } from '../platform/stackless-error.ts'
import { Lanes } from './lanes.ts'

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

/**
 * How many slow pieces of work run at once. They take no turns from the others: the hash of another program may take
 * many times as long as one of ours, and every sign-in would wait for it.
 */
const SLOW_AT_ONCE = 1

/** How many may ask at once where they belong: each asks the database, and those who have a place need that too. */
const MOST_ASKING = 4

/** There is no place in the queue, or another has it now; the work was not started. */
export class QueueFullError extends StacklessError {
  override readonly name = 'QueueFullError'
  /** Whole seconds until the work that waits now is expected to be done. */
  readonly retryAfter: number

  constructor(retryAfter: number) {
    super('The hash queue is full')
    this.retryAfter = retryAfter
  }
}

/** The groups that a piece of work belongs to, the widest first. */
export type Lane = readonly string[]

/** A lane in which work may belong, and the question whether it does. */
interface BetterLane {
  lane: Lane
  belongs: () => Promise<boolean>
}

export interface HashQueueOptions {
  lane?: Lane | undefined
  /** Drops the work if it still waits when the signal fires: the client is gone. */
  signal?: AbortSignal | undefined
  /** Asked for where all places are taken and the answer matters. */
  betterLane?: BetterLane | undefined
  /**
   * Runs before the work, and only for work that has a place: a refused request has cost nothing. It may tell the lane
   * in which the work waits from then on, and that it is slow.
   */
  first?: (() => Promise<{ lane?: Lane; slow?: boolean }>) | undefined
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

/** A place in the queue, until its turn comes. */
interface Place {
  lane: Lane
  /** Whether what comes before the work is done. */
  ready: boolean
  slow: boolean
  /** Ends the wait, once: its turn has come, or the place is another's. */
  leave: (why: 'turn' | 'displaced') => void
}

/**
 * Runs costly work a few pieces at a time, lets a bounded number wait, and refuses the rest. Lanes take turns, and where
 * all places are taken, a lane with few of them gets one from the lane with most. In a flood of refusals the queue runs
 * fewer at a time, so that requests without such work get a core.
 */
export type HashQueue = ReturnType<typeof makeHashQueue>

export function makeHashQueue({ concurrency, inFlood = concurrency, capacity }: Limits) {
  const places = new Lanes<Place>()
  const running = { slow: 0, other: 0 }
  let asking = 0
  let meanMs = 50
  let held = 0
  let refused = 0
  /** Recent refusals for each piece of work that was done. */
  let pressure = 0

  const atOnce = () => (pressure > FLOOD ? inFlood : concurrency)
  const isFull = () => running.other + places.size >= atOnce() + capacity

  async function refuse(): Promise<never> {
    refused += 1
    if (held < MOST_HELD) {
      held += 1
      await sleep(HOLD_MS.least + Math.random() * (HOLD_MS.most - HOLD_MS.least))
      held -= 1
    }
    throw new QueueFullError(Math.max(1, Math.ceil((places.size * meanMs) / atOnce() / 1000)))
  }

  function measurePressure(): void {
    pressure += (refused - pressure) / REMEMBERED
    refused = 0
  }

  const hasPlace = (lane: Lane) => !isFull() || places.rivalOf(lane) !== undefined

  /** @returns `undefined` where the lane has no place. */
  function enter(lane: Lane): { place: Place; turn: Promise<'turn' | 'displaced'> } | undefined {
    if (isFull()) {
      const rival = places.rivalOf(lane)
      if (!rival) return undefined
      rival.leave('displaced')
    }
    const { promise: turn, resolve } = Promise.withResolvers<'turn' | 'displaced'>()
    const place: Place = {
      lane,
      ready: false,
      slow: false,
      leave(why) {
        places.delete(place.lane, place)
        resolve(why)
      },
    }
    places.add(lane, place)
    return { place, turn }
  }

  /** Work that entered one lane and moved to the better one later could take its place from that very lane, for nothing. */
  async function enterWhereItBelongs(lane: Lane, better: BetterLane, signal: AbortSignal | undefined) {
    if (asking >= MOST_ASKING) return undefined
    asking += 1
    const belongs = await better.belongs().finally(() => (asking -= 1))
    signal?.throwIfAborted()
    return enter(belongs ? better.lane : lane)
  }

  async function prepare(place: Place, first: () => Promise<{ lane?: Lane; slow?: boolean }>): Promise<void> {
    const { lane, slow = false } = await first()
    place.slow = slow
    if (!lane || !places.delete(place.lane, place)) return
    place.lane = lane
    places.add(lane, place)
  }

  function startNext(): void {
    start('other', atOnce())
    start('slow', SLOW_AT_ONCE)
  }

  function start(kind: 'slow' | 'other', most: number): void {
    while (running[kind] < most) {
      const place = places.next(({ ready, slow }) => ready && slow === (kind === 'slow'))
      if (!place) return
      running[kind] += 1
      place.leave('turn')
    }
  }

  /** The work was counted as running when its turn came. */
  async function perform<T>(work: () => Promise<T>, { slow }: Place): Promise<T> {
    const startedAt = performance.now()
    try {
      return await work()
    } finally {
      running[slow ? 'slow' : 'other'] -= 1
      if (!slow) {
        meanMs += (performance.now() - startedAt - meanMs) / REMEMBERED
        measurePressure()
      }
      startNext()
    }
  }

  return {
    /** The number of pieces of work that wait. */
    waiting: () => places.size,

    /** Whether the next piece of work would be refused: for optional work, which is left out then. */
    full: isFull,

    /**
     * Checks for a place before the caller does something else first. The place is not reserved.
     *
     * @throws {QueueFullError} when too many wait already.
     */
    async admit(lane: Lane = []): Promise<void> {
      if (!hasPlace(lane)) await refuse()
    },

    /**
     * @throws {QueueFullError} when too many wait already, or another lane got the place before the work began.
     * @throws the reason of the signal when it fires before the work has begun.
     * @throws what `first` throws; the work is not begun then.
     */
    async run<T>(
      work: () => Promise<T>,
      { lane = [], signal, betterLane, first }: HashQueueOptions = {},
    ): Promise<T> {
      signal?.throwIfAborted()
      const matters = betterLane && hasPlace(lane) !== hasPlace(betterLane.lane)
      const entered = matters ? await enterWhereItBelongs(lane, betterLane, signal) : enter(lane)
      const { place, turn } = entered ?? (await refuse())
      const abandon = () => place.leave('displaced')
      signal?.addEventListener('abort', abandon, { once: true })
      try {
        if (first) await prepare(place, first)
        place.ready = true
        startNext()
        if ((await turn) === 'displaced') {
          signal?.throwIfAborted()
          await refuse()
        }
      } finally {
        place.leave('displaced')
        signal?.removeEventListener('abort', abandon)
      }
      return perform(work, place)
    },
  }
}
