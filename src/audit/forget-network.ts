import { sql } from 'kysely'
import type { Db } from '../platform/database.ts'

/**
 * Accounts whose deletion was recorded by a time and whose events still have network addresses.
 *
 * @param by epoch milliseconds.
 * @param after the id after which the list continues.
 */
export async function listDeletedWithNetwork(
  db: Db,
  { by, after, limit }: { by: number; after: string; limit: number },
): Promise<string[]> {
  // Written out as in the partial index, which is not used with bound values.
  const rows = await db
    .selectFrom('audit_events')
    .select('account_id')
    .distinct()
    .where(sql<boolean>`event = 'account_deleted' and (ip <> '' or user_agent <> '')`)
    .where('at', '<=', by)
    .where('account_id', '>', after)
    .orderBy('account_id')
    .limit(limit)
    .execute()
  return rows.map(({ account_id }) => account_id as string)
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
    // The deletion comes last: the other events are found by it when this is interrupted.
    await nameless.where('id', 'in', ids).where('event', '!=', 'account_deleted').execute()
  if (ids.length < limit)
    await nameless.where('account_id', '=', accountId).where('event', '=', 'account_deleted').execute()
  return ids
}
