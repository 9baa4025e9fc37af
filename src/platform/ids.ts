import { randomInt } from 'node:crypto'
import { v7 } from 'uuid'
import type { Clock } from './clock.ts'

/** Half of the 32 bits of the counter: it begins anywhere below, and has room above for one millisecond. */
const FIRST_SEQ_BELOW = 2 ** 31

const RANDOM_BYTES = 16

/** Asked for by the hundred: the call costs more than the bytes. */
const pool = new Uint8Array(256 * RANDOM_BYTES)
let taken = pool.length

let last = { msecs: Number.NaN, seq: 0 }

/**
 * A UUIDv7 (RFC 9562 section 5.7): unique, and sorted by the time it was made, which keeps indexes compact. Those
 * that this process makes within one millisecond are sorted too (section 6.2, method 1).
 */
export function newId(clock: Clock): string {
  const msecs = clock.now()
  last = { msecs, seq: msecs === last.msecs ? last.seq + 1 : randomInt(FIRST_SEQ_BELOW) }
  return v7({ ...last, rng: takeRandom })
}

function takeRandom(): Uint8Array {
  if (taken === pool.length) {
    crypto.getRandomValues(pool)
    taken = 0
  }
  taken += RANDOM_BYTES
  return pool.subarray(taken - RANDOM_BYTES, taken)
}
