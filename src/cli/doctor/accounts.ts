import { daysUnenrolled, listUnenrolled } from '../../accounts/remove-unenrolled.ts'
import type { Config } from '../../config.ts'
import { type Clock, DAY_MS, rfc3339 } from '../../platform/clock.ts'
import type { Db } from '../../platform/database.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok } = findingsOf('accounts')

const DAYS_AHEAD = 7
const SHOWN = 20

/** Which accounts the service removes by itself, because they were never used. */
export async function checkAccounts(
  config: Pick<Config, 'mfaPolicy' | 'unenrolledDays'>,
  db: Db,
  clock: Clock,
): Promise<Finding[]> {
  const days = daysUnenrolled(config)
  if (days === 0) {
    const why = config.mfaPolicy === 'optional' ? 'MFA_POLICY is optional' : 'UNENROLLED_DAYS is 0'
    return [ok(`none is removed by itself: ${why}`)]
  }
  const until = clock.now() + DAYS_AHEAD * DAY_MS
  const { count, next } = await listUnenrolled(db, { days, until, limit: SHOWN })
  if (count === 0) return [ok(`none that was never used is removed within ${DAYS_AHEAD} days`)]
  const names = next.map(({ username, removedAt }) => `${username} (${rfc3339(removedAt)})`)
  const more = count > next.length ? ` and ${count - next.length} more` : ''
  return [
    ok(
      `UNENROLLED_DAYS removes ${count} that were never used within ${DAYS_AHEAD} days: ${names.join(', ')}${more}`,
    ),
  ]
}
