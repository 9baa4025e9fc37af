import { sql } from 'kysely'
import { BATCH_SIZE, deleteInBatches } from '../platform/batches.ts'
import type { Db, Trx } from '../platform/database.ts'
import { liveSessions } from './store.ts'
import { REFRESH_TOKENS } from './tables.ts'

// There may be very many of these rows: no statement here takes more than a batch.

/**
 * Ends the sessions of an account beyond those used last.
 *
 * @param allowed how many stay, apart from the one that is kept whenever it was used.
 * @returns the ids of the ended ones; as many as a batch has when there may be more.
 */
export async function endSurplusSessions(
  trx: Trx,
  accountId: string,
  { allowed, keptId, now }: { allowed: number; keptId: string; now: number },
): Promise<string[]> {
  const surplus = liveSessions(trx, now)
    .clearSelect()
    .select('id')
    .where('account_id', '=', accountId)
    .where('id', '!=', keptId)
    .orderBy('last_used_at', 'desc')
    .orderBy('id', 'desc')
    .limit(BATCH_SIZE)
    .offset(allowed)
  const ended = await trx
    .updateTable('sessions')
    .set({ ended_at: now })
    .where('id', 'in', surplus)
    .returning('id')
    .execute()
  return ended.map(({ id }) => id)
}

/** Ends sessions of any account that were begun until then. @returns how many. */
export async function endSomeSessions(db: Db, now: number, begunUntil: number): Promise<number> {
  const some = liveSessions(db, now).clearSelect().select('id').where('created_at', '<=', begunUntil)
  const { numUpdatedRows } = await db
    .updateTable('sessions')
    .set({ ended_at: now })
    .where('id', 'in', some.limit(BATCH_SIZE))
    .executeTakeFirstOrThrow()
  return Number(numUpdatedRows)
}

/** Deletes an account's sessions that have ended, and the refresh tokens that the others have used. */
export async function deleteDeadSessions(db: Db, accountId: string, now: () => number): Promise<void> {
  await deleteInBatches(db, {
    table: 'sessions',
    key: 'id',
    where: () =>
      sql<boolean>`account_id = ${accountId} and (ended_at is not null or idle_expires_at <= ${now()})`,
    dependents: REFRESH_TOKENS,
  })
  await deleteInBatches(db, {
    table: 'refresh_tokens',
    key: 'token_hash',
    where: () => sql<boolean>`
      rotated_at is not null and session_id in (select id from sessions where account_id = ${accountId})`,
  })
}
