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

/** @returns nothing when the mail was counted; when there were too many, the time until which no more are. */
export async function countMail(
  trx: Trx,
  subject: string,
  { now, windowMs, max }: { now: number; windowMs: number; max: number },
): Promise<{ until: number } | undefined> {
  await trx
    .deleteFrom('mail_counts')
    .where('subject', '=', subject)
    // A window that begins later than one window from now was counted by a clock that was ahead.
    .where((eb) => eb.or([eb('since', '<=', now - windowMs), eb('since', '>', now + windowMs)]))
    .execute()
  const counted = await trx
    .insertInto('mail_counts')
    .values({ subject, since: now, mails: 1 })
    .onConflict((conflict) =>
      conflict
        .column('subject')
        .doUpdateSet((eb) => ({ mails: eb('mail_counts.mails', '+', 1) }))
        .where('mail_counts.mails', '<', max),
    )
    .returning('mails')
    .executeTakeFirst()
  if (counted) return undefined
  const { since } = await trx
    .selectFrom('mail_counts')
    .select('since')
    .where('subject', '=', subject)
    .executeTakeFirstOrThrow()
  return { until: since + windowMs }
}

export async function uncountMail(trx: Trx, subject: string): Promise<void> {
  await trx
    .updateTable('mail_counts')
    .set((eb) => ({ mails: eb('mails', '-', 1) }))
    .where('subject', '=', subject)
    .where('mails', '>', 0)
    .execute()
}
