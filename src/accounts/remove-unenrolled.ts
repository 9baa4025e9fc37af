import type { Config } from '../config.ts'
import { BATCH_SIZE, inBatches } from '../platform/batches.ts'
import { DAY_MS } from '../platform/clock.ts'
import { type Db, inTransaction, type Trx } from '../platform/database.ts'
import type { AccountsRoom } from './room.ts'

/**
 * Days after which such accounts are removed; 0 for never. Where no factor is asked for, an account without one may well be
 * in use.
 */
export const daysUnenrolled = ({
  mfaPolicy,
  unenrolledDays,
}: Pick<Config, 'mfaPolicy' | 'unenrolledDays'>): number => (mfaPolicy === 'required' ? unenrolledDays : 0)

/**
 * Removes the accounts that strangers have made and never used: they have had no session and no proven address, and keep
 * a name from others. Accounts that an operator has made, imported, reset, closed or unlocked stay.
 *
 * @param days after which they are removed; 0 for never.
 * @returns how many were removed.
 */
export async function removeUnenrolled(
  { attempts, clock, db, trail }: Pick<AccountsRoom, 'attempts' | 'clock' | 'db' | 'trail'>,
  days: number,
  options: { signal?: AbortSignal; pauseMs?: number } = {},
): Promise<number> {
  if (days === 0) return 0
  // The user agent goes with the network of the other events, and says until then that they have one.
  const caller = { by: 'service', ip: '', userAgent: 'keyturn', requestId: crypto.randomUUID() } as const
  return inBatches(
    () =>
      inTransaction(db, async (trx) => {
        const gone = await deleteUnenrolled(trx, clock.now() - days * DAY_MS)
        await attempts.forget(
          trx,
          gone.map(({ id }) => id),
        )
        await trail.recordAll(trx, 'account_expired', gone, caller)
        return gone.length
      }),
    options,
  )
}

/** Checks each row again as it is deleted: its owner may sign in at this moment. */
async function deleteUnenrolled(trx: Trx, before: number): Promise<{ id: string }[]> {
  const some = trx
    .selectFrom('accounts')
    .select('id')
    .where('unenrolled_since', '<=', before)
    .limit(BATCH_SIZE)
  return trx
    .deleteFrom('accounts')
    .where('id', 'in', some)
    .where('unenrolled_since', '<=', before)
    .returning('id')
    .execute()
}

/** The accounts that are removed next, the first one first, and how many there are until then. Epoch milliseconds. */
export async function listUnenrolled(
  db: Db,
  { days, until, limit }: { days: number; until: number; limit: number },
): Promise<{ count: number; next: { username: string; removedAt: number }[] }> {
  const unenrolled = db.selectFrom('accounts').where('unenrolled_since', '<=', until - days * DAY_MS)
  const { count } = await unenrolled.select((eb) => eb.fn.countAll().as('count')).executeTakeFirstOrThrow()
  const next = await unenrolled
    .select(['username', 'unenrolled_since'])
    .orderBy('unenrolled_since')
    .limit(limit)
    .execute()
  return {
    count: Number(count),
    next: next.map(({ username, unenrolled_since: since }) => ({
      username,
      removedAt: (since ?? 0) + days * DAY_MS,
    })),
  }
}
