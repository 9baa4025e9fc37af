import { CLOCK_SKEW_SECONDS, type Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import { latestTimes } from './latest-times.ts'

/** A sentence for the operator while the database holds times that are ahead of the clock. */
export async function warnOfTimesAhead({ db, clock }: { db: Db; clock: Clock }): Promise<string | null> {
  const upTo = clock.now() + CLOCK_SKEW_SECONDS * 1000
  const ahead = (await latestTimes(db)).some(({ at }) => at > upTo)
  return ahead
    ? 'The database holds times that are ahead of this clock: it was set back, or was ahead when they were written. "keyturn doctor" says more.'
    : null
}
