import { sql } from 'kysely'
import type { Db, Trx } from '../platform/database.ts'
import { prepared } from '../platform/prepared.ts'
import type { Challenge } from './challenges.ts'

const insertForUnchanged = prepared((db, challenge: Challenge & { passwordSetAt: number }) =>
  db
    .insertInto('challenges')
    .columns(['id', 'account_id', 'created_at', 'expires_at', 'wrong_codes'])
    .expression((eb) =>
      eb
        .selectFrom('accounts')
        .select([
          eb.val(challenge.id).as('id'),
          'accounts.id as account_id',
          eb.val(challenge.createdAt).as('created_at'),
          eb.val(challenge.expiresAt).as('expires_at'),
          eb.val(0).as('wrong_codes'),
        ])
        .where('accounts.id', '=', challenge.accountId)
        .where('password_set_at', '=', challenge.passwordSetAt)
        .where('disabled_at', 'is', null),
    ),
)

/**
 * @param passwordSetAt the password that was checked: a challenge never outlives a change of it.
 * @returns whether the account is still as it was when its password was checked.
 */
export async function insertChallenge(
  trx: Trx,
  challenge: Challenge,
  passwordSetAt: number,
): Promise<boolean> {
  return (await insertForUnchanged.run(trx, { ...challenge, passwordSetAt })) === 1
}

interface Answerable {
  id: string
  now: number
  maxWrongCodes: number
}

const liveChallenge = prepared((db, { id, now, maxWrongCodes }: Answerable) =>
  db
    .selectFrom('challenges')
    .selectAll()
    .where('id', '=', id)
    .where('consumed_at', 'is', null)
    .where('expires_at', '>', now)
    .where('wrong_codes', '<', maxWrongCodes),
)

export async function findLiveChallenge(
  db: Db,
  id: string,
  now: number,
  maxWrongCodes: number,
): Promise<Challenge | undefined> {
  const row = await liveChallenge.first(db, { id, now, maxWrongCodes })
  return (
    row && { id: row.id, accountId: row.account_id, createdAt: row.created_at, expiresAt: row.expires_at }
  )
}

const countedAnswer = prepared((db, { id, now, maxWrongCodes }: Answerable) =>
  db
    .updateTable('challenges')
    .set((eb) => ({ wrong_codes: eb('wrong_codes', '+', 1) }))
    .where('id', '=', id)
    .where('consumed_at', 'is', null)
    .where('expires_at', '>', now)
    .where('wrong_codes', '<', maxWrongCodes)
    .returning('wrong_codes'),
)

/** @returns the count after this one, or `undefined` when the challenge cannot be answered any more. */
export async function countWrongCode(
  trx: Trx,
  id: string,
  now: number,
  maxWrongCodes: number,
): Promise<number | undefined> {
  return (await countedAnswer.first(trx, { id, now, maxWrongCodes }))?.wrong_codes
}

const consumed = prepared((db, { id, now }: { id: string; now: number }) =>
  db
    .updateTable('challenges')
    .set({ consumed_at: now })
    .where('id', '=', id)
    .where('consumed_at', 'is', null),
)

/** @returns whether this call was the one that consumed it. */
export async function consumeChallenge(trx: Trx, id: string, now: number): Promise<boolean> {
  return (await consumed.run(trx, { id, now })) === 1
}

export async function deleteChallenges(trx: Trx, accountId: string): Promise<void> {
  await trx.deleteFrom('challenges').where('account_id', '=', accountId).execute()
}

/** One counter. */
interface Counter {
  subject: string
  factor: string
}

/** Which values of `blocked_until` are a pause. */
interface Paused {
  after: number
  upTo: number
  or: number
}

const isPause = ({ after, upTo, or }: Paused) =>
  sql<boolean>`(failure_counters.blocked_until > ${after} and failure_counters.blocked_until <= ${upTo}
    or failure_counters.blocked_until = ${or})`

const countedFailure = prepared(
  (db, { subject, factor, now, after, upTo, or }: Counter & Paused & { now: number }) =>
    db
      .insertInto('failure_counters')
      .values({ subject, factor, failures: 1, blocked_until: 0, last_failed_at: now, succeeded_at: null })
      .onConflict((conflict) =>
        conflict
          .columns(['subject', 'factor'])
          .doUpdateSet({ failures: sql`failure_counters.failures + 1`, last_failed_at: now })
          .where((eb) => eb.not(isPause({ after, upTo, or }))),
      )
      .returning(['succeeded_at', 'failures', 'blocked_until']),
)

/** Counts a failure, unless a pause is on. `blockedUntil` is when the last pause ended or this one will; 0 for none. */
export async function countFailure(
  trx: Trx,
  subject: string,
  factor: string,
  now: number,
  paused: Paused,
): Promise<
  | { counted: true; everSucceeded: boolean; failures: number; blockedUntil: number }
  | { counted: false; blockedUntil: number }
> {
  const row = await countedFailure.first(trx, { subject, factor, now, ...paused })
  if (row) {
    const { succeeded_at, failures, blocked_until } = row
    return { counted: true, everSucceeded: succeeded_at !== null, failures, blockedUntil: blocked_until }
  }
  return { counted: false, blockedUntil: (await pauseOf(trx, subject, factor, paused)) ?? 0 }
}

const runningPause = prepared((db, { subject, factor, after, upTo, or }: Counter & Paused) =>
  db
    .selectFrom('failure_counters')
    .select('blocked_until')
    .where('subject', '=', subject)
    .where('factor', '=', factor)
    .where(isPause({ after, upTo, or })),
)

/** When the pause that is on will end, if there is one. */
export async function pauseOf(
  db: Db,
  subject: string,
  factor: string,
  paused: Paused,
): Promise<number | undefined> {
  return (await runningPause.first(db, { subject, factor, ...paused }))?.blocked_until
}

const failuresSoFar = prepared((db, { subject, factor }: Counter) =>
  db
    .selectFrom('failure_counters')
    .select('failures')
    .where('subject', '=', subject)
    .where('factor', '=', factor)
    .forUpdate(),
)

/** 0 when a success of another request has reset the counter meanwhile; from now on none can in this transaction. */
export async function failuresOf(trx: Trx, subject: string, factor: string): Promise<number> {
  return (await failuresSoFar.first(trx, { subject, factor }))?.failures ?? 0
}

export async function uncountFailure(trx: Trx, subject: string, factor: string): Promise<void> {
  await trx
    .updateTable('failure_counters')
    .set((eb) => ({ failures: eb('failures', '-', 1) }))
    .where('subject', '=', subject)
    .where('factor', '=', factor)
    .where('failures', '>', 0)
    .execute()
}

export async function blockCounter(trx: Trx, subject: string, factor: string, until: number): Promise<void> {
  await trx
    .updateTable('failure_counters')
    .set({ blocked_until: until })
    .where('subject', '=', subject)
    .where('factor', '=', factor)
    .execute()
}

/** Back to the pause before, unless there was another one since. */
export async function unblockCounter(
  trx: Trx,
  subject: string,
  factor: string,
  { before, since }: { before: number; since: number },
): Promise<void> {
  await trx
    .updateTable('failure_counters')
    .set({ blocked_until: before })
    .where('subject', '=', subject)
    .where('factor', '=', factor)
    .where('blocked_until', '=', since)
    .execute()
}

export async function clearCounters(trx: Trx, subject: string): Promise<void> {
  await trx
    .updateTable('failure_counters')
    .set({ failures: 0, blocked_until: 0 })
    .where('subject', '=', subject)
    .execute()
}

/**
 * Ends the pauses now; that there was one is kept, and the next try brings the next one with it.
 *
 * @param last counters with so many failures stay as they are.
 */
export async function unblockCounters(trx: Trx, subject: string, now: number, last: number): Promise<void> {
  await trx
    .updateTable('failure_counters')
    .set({ blocked_until: now })
    .where('subject', '=', subject)
    .where('blocked_until', '>', now)
    .where('failures', '<', last)
    .execute()
}

const reset = prepared((db, { subject, factor, now }: Counter & { now: number }) =>
  db
    .updateTable('failure_counters')
    .set({ failures: 0, blocked_until: 0, succeeded_at: now })
    .where('subject', '=', subject)
    .where('factor', '=', factor),
)

export async function resetCounter(trx: Trx, subject: string, factor: string, now: number): Promise<void> {
  await reset.run(trx, { subject, factor, now })
}

const closedFactors = prepared((db, { subject, last }: { subject: string; last: number }) =>
  db
    .selectFrom('failure_counters')
    .select('factor')
    .where('subject', '=', subject)
    .where('failures', '>=', last),
)

/** The factors of a subject that failed so often that none of their codes is evaluated any more. */
export async function listClosedFactors(db: Db, subject: string, last: number): Promise<string[]> {
  const rows = await closedFactors.all(db, { subject, last })
  return rows.map((row) => row.factor)
}

export async function deleteCounters(trx: Trx, subject: string): Promise<void> {
  await trx.deleteFrom('failure_counters').where('subject', '=', subject).execute()
}
