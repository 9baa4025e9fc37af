import { latestEventAt } from '../audit/list-events.ts'
import { CLOCK_SKEW_SECONDS, type Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import { latestSigningKeyAt } from '../tokens/signing-keys.ts'

/** Something that is written down with the time at which it happened. */
export interface Written {
  what: string
  /** Of the latest one, in epoch milliseconds; 0 where there is none. */
  at: number
}

/**
 * The latest times of what has happened, which are past unless a clock was ahead. Every request and command leaves an
 * event; signing keys are made without one.
 */
export async function latestTimes(db: Db): Promise<Written[]> {
  return [
    { what: 'audit event', at: await latestEventAt(db) },
    { what: 'signing key', at: await latestSigningKeyAt(db) },
  ]
}

/** A sentence for the operator while the database holds times that are ahead of the clock. */
export async function warnOfTimesAhead({ db, clock }: { db: Db; clock: Clock }): Promise<string | null> {
  const upTo = clock.now() + CLOCK_SKEW_SECONDS * 1000
  const ahead = (await latestTimes(db)).some(({ at }) => at > upTo)
  return ahead
    ? 'The database holds times that are ahead of this clock: it was set back, or was ahead when they were written. "keyturn doctor" says more.'
    : null
}
