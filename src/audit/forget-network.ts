import { sql } from 'kysely'
import type { Db } from '../platform/database.ts'

/** Written out as in the partial index, which is not used with bound values. */
const endOfAccount = () => sql<boolean>`event in ('account_deleted', 'account_expired')`

/** The event of a deletion or an expiry. */
export interface EndOfAccount {
  id: string
  at: number
  account_id: string | null
}

/**
 * The ends of accounts that were recorded by a time, where the events still have network addresses, the first one first.
 *
 * @param by epoch milliseconds.
 * @param after the one after which the list continues.
 */
export async function listEndsWithNetwork(
  db: Db,
  { by, after, limit }: { by: number; after: Pick<EndOfAccount, 'id' | 'at'>; limit: number },
): Promise<EndOfAccount[]> {
  return db
    .selectFrom('audit_events')
    .select(['id', 'at', 'account_id'])
    .where(endOfAccount())
    .where(sql<boolean>`(ip <> '' or user_agent <> '')`)
    .where('at', '<=', by)
    .where(sql<boolean>`(at, id) > (${after.at}, ${after.id})`)
    .orderBy('at')
    .orderBy('id')
    .limit(limit)
    .execute()
}

/**
 * Empties network address and user agent of some events of an account.
 *
 * @param after the id of the event after which it continues.
 * @returns the ids of the events that it looked at; fewer than `limit` when all are done.
 */
export async function forgetNetworkOf(
  db: Db,
  accountId: string,
  { after, limit }: { after: string; limit: number },
): Promise<string[]> {
  const rows = await db
    .selectFrom('audit_events')
    .select('id')
    .where('account_id', '=', accountId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute()
  const ids = rows.map(({ id }) => id)
  const nameless = db.updateTable('audit_events').set({ ip: '', user_agent: '' })
  if (ids.length > 0)
    // The end of the account comes last: the other events are found by it when this is interrupted.
    await nameless.where('id', 'in', ids).where(sql<boolean>`not ${endOfAccount()}`).execute()
  if (ids.length < limit) await nameless.where('account_id', '=', accountId).where(endOfAccount()).execute()
  return ids
}
