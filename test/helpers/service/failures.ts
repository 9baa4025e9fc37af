import type { Service } from './service.ts'

/** The end of the pause of a factor that a hundred wrong codes in a row have closed. */
export const CLOSED = 8.64e15

/**
 * Lets an account have given so many wrong codes of a factor in a row.
 *
 * @param blockedUntil the end of the pause that is on, in epoch milliseconds.
 */
export async function setFailures(
  { db, clock }: Service,
  accountId: string,
  factor: string,
  failures: number,
  blockedUntil = 0,
): Promise<void> {
  const count = { failures, blocked_until: blockedUntil }
  await db
    .insertInto('failure_counters')
    .values({ subject: accountId, factor, ...count, last_failed_at: clock.now(), succeeded_at: null })
    .onConflict((conflict) => conflict.columns(['subject', 'factor']).doUpdateSet(count))
    .execute()
}
