import type { ExpressionBuilder } from 'kysely'
import type { Db, Trx } from '../platform/database.ts'
import type { Tables } from '../platform/tables.ts'
import type { OutboxTable } from './tables.ts'

/** A claimed mail. Its message is still sealed, and `attempts` includes this one. */
export type OutboxRow = Pick<OutboxTable, 'id' | 'sealed_message' | 'attempts'>

export async function insertOutbox(trx: Trx, id: string, sealedMessage: string, now: number): Promise<void> {
  await trx
    .insertInto('outbox')
    .values({
      id,
      sealed_message: sealedMessage,
      created_at: now,
      attempts: 0,
      next_attempt_at: now,
      claimed_until: 0,
    })
    .execute()
}

/** The times for a claim, in epoch milliseconds. */
export interface ClaimTimes {
  now: number
  /** The end of a claim that is made now. */
  until: number
  /** The latest end that a claim of any process can have now. */
  latestClaim: number
  /** The latest next attempt that any process can set now. */
  latestTry: number
}

/** A mail that is postponed or claimed for longer than is possible now was so by a clock that was ahead: it is due. */
function isDue({ now, latestClaim, latestTry }: ClaimTimes) {
  return ({ eb, and, or }: ExpressionBuilder<Tables, 'outbox'>) =>
    and([
      or([eb('next_attempt_at', '<=', now), eb('next_attempt_at', '>', latestTry)]),
      or([eb('claimed_until', '<=', now), eb('claimed_until', '>', latestClaim)]),
    ])
}

/** Two queries: each reads a range of an index, while a single query would read all of it. */
export async function listDueOutboxIds(db: Db, times: ClaimTimes, limit: number): Promise<string[]> {
  const due = db.selectFrom('outbox').select('id').where(isDue(times)).orderBy('next_attempt_at').limit(limit)
  const inTime = await due.where('next_attempt_at', '<=', times.now).execute()
  const putOffTooLong = await due.where('next_attempt_at', '>', times.latestTry).execute()
  return [...inTime, ...putOffTooLong].slice(0, limit).map(({ id }) => id)
}

/** @returns the mail, for the first process that asks. */
export async function claimOutbox(trx: Trx, id: string, times: ClaimTimes): Promise<OutboxRow | undefined> {
  return trx
    .updateTable('outbox')
    .set((eb) => ({ claimed_until: times.until, attempts: eb('attempts', '+', 1) }))
    .where('id', '=', id)
    .where(isDue(times))
    .returning(['id', 'sealed_message', 'attempts'])
    .executeTakeFirst()
}

export async function postponeOutbox(trx: Trx, id: string, nextAttemptAt: number): Promise<void> {
  await trx
    .updateTable('outbox')
    .set({ next_attempt_at: nextAttemptAt, claimed_until: 0 })
    .where('id', '=', id)
    .execute()
}

export async function deleteOutbox(trx: Trx, id: string): Promise<void> {
  await trx.deleteFrom('outbox').where('id', '=', id).execute()
}

export async function uncountMail(trx: Trx, subject: string): Promise<void> {
  await trx
    .updateTable('mail_counts')
    .set((eb) => ({ mails: eb('mails', '-', 1) }))
    .where('subject', '=', subject)
    .where('mails', '>', 0)
    .execute()
}
