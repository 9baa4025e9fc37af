import type { Db, Trx } from '../platform/database.ts'

/** Mail in hand: its message is still sealed. */
export interface OutboxRow {
  id: string
  sealedMessage: string
  /** How often it was tried, this time included. */
  attempts: number
}

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

export async function listDueOutboxIds(db: Db, now: number, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('outbox')
    .select('id')
    .where('next_attempt_at', '<=', now)
    .where('claimed_until', '<=', now)
    .orderBy('next_attempt_at')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

/** @returns the mail, for the one process that asked first. */
export async function claimOutbox(
  trx: Trx,
  id: string,
  now: number,
  until: number,
): Promise<OutboxRow | undefined> {
  const row = await trx
    .updateTable('outbox')
    .set((eb) => ({ claimed_until: until, attempts: eb('attempts', '+', 1) }))
    .where('id', '=', id)
    .where('next_attempt_at', '<=', now)
    .where('claimed_until', '<=', now)
    .returning(['id', 'sealed_message', 'attempts'])
    .executeTakeFirst()
  return row && { id: row.id, sealedMessage: row.sealed_message, attempts: row.attempts }
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

/** @returns nothing when the mail was counted; until when no more are, when there were too many. */
export async function countMail(
  trx: Trx,
  subject: string,
  { now, windowMs, max }: { now: number; windowMs: number; max: number },
): Promise<{ until: number } | undefined> {
  await trx
    .deleteFrom('mail_counts')
    .where('subject', '=', subject)
    .where('since', '<=', now - windowMs)
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
