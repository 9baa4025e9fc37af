import { sql } from 'kysely'
import type { Db, Trx } from '../platform/database.ts'
import { type Params, prepared } from '../platform/prepared.ts'

/** One counter. */
interface Counter {
  subject: string
  factor: string
}

/** The values of `blocked_until` that are a pause. */
interface Paused {
  after: number
  upTo: number
  or: number
}

const isPause = (param: Params<Paused>) =>
  sql<boolean>`(failure_counters.blocked_until > ${param('after')}
    and failure_counters.blocked_until <= ${param('upTo')}
    or failure_counters.blocked_until = ${param('or')})`

const countedFailure = prepared((db, param: Params<Counter & Paused & { now: number; ownAfter: number }>) =>
  db
    .insertInto('failure_counters')
    .values({
      subject: param('subject'),
      factor: param('factor'),
      failures: 1,
      blocked_until: 0,
      last_failed_at: param('now'),
      succeeded_at: null,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['subject', 'factor'])
        .doUpdateSet({ failures: sql`failure_counters.failures + 1`, last_failed_at: param('now') })
        .where((eb) => eb.not(isPause(param))),
    )
    .returning((eb) => [
      'failures',
      'blocked_until',
      eb
        .exists(
          eb
            .selectFrom('own_networks')
            .select('own_networks.subject')
            .where('own_networks.subject', '=', param('subject'))
            .where('own_networks.signed_in_at', '>', param('ownAfter')),
        )
        .as('own_network'),
    ]),
)

/**
 * Counts a failure, unless a pause is on. `ownNetwork` is whether the subject is a network of an account, with a full
 * sign-in after `ownAfter`: that is asked in the same statement, which each password waits for. `blockedUntil` is the
 * end of the previous pause or of the one that is on; 0 when there is none.
 */
export async function countFailure(
  trx: Trx,
  subject: string,
  factor: string,
  { now, ownAfter, paused }: { now: number; ownAfter: number; paused: Paused },
): Promise<
  | { counted: true; ownNetwork: boolean; failures: number; blockedUntil: number }
  | { counted: false; blockedUntil: number }
> {
  const row = await countedFailure.first(trx, { subject, factor, now, ownAfter, ...paused })
  if (row) {
    const { own_network, failures, blocked_until } = row
    return { counted: true, ownNetwork: Boolean(own_network), failures, blockedUntil: blocked_until }
  }
  return { counted: false, blockedUntil: (await pauseOf(trx, subject, factor, paused)) ?? 0 }
}

const runningPause = prepared((db, param: Params<Counter & Paused>) =>
  db
    .selectFrom('failure_counters')
    .select('blocked_until')
    .where('subject', '=', param('subject'))
    .where('factor', '=', param('factor'))
    .where(isPause(param)),
)

/** The end of the pause that is on, if there is one. */
export async function pauseOf(
  db: Db,
  subject: string,
  factor: string,
  paused: Paused,
): Promise<number | undefined> {
  return (await runningPause.first(db, { subject, factor, ...paused }))?.blocked_until
}

const failuresSoFar = prepared((db, param: Params<Counter>) =>
  db
    .selectFrom('failure_counters')
    .select('failures')
    .where('subject', '=', param('subject'))
    .where('factor', '=', param('factor'))
    .forUpdate(),
)

/**
 * The failures, or 0 when another request has reset the counter by a success meanwhile. Until this transaction ends,
 * no other request can.
 */
export async function failuresOf(trx: Trx, subject: string, factor: string): Promise<number> {
  return (await failuresSoFar.first(trx, { subject, factor }))?.failures ?? 0
}

/** The pauses of a subject that are on, by factor. */
export async function listPauses(
  db: Db,
  subject: string,
  { after, upTo }: Paused,
): Promise<{ factor: string; blocked_until: number }[]> {
  return db
    .selectFrom('failure_counters')
    .select(['factor', 'blocked_until'])
    .where('subject', '=', subject)
    .where('blocked_until', '>', after)
    .where('blocked_until', '<=', upTo)
    .orderBy('factor')
    .execute()
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

/** Restores the pause before, unless another one was started since. */
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

/** Sets one counter of the subject back to zero, or all of them. */
export async function clearCounters(trx: Trx, subject: string, factor?: string): Promise<void> {
  let counters = trx
    .updateTable('failure_counters')
    .set({ failures: 0, blocked_until: 0 })
    .where('subject', '=', subject)
  if (factor !== undefined) counters = counters.where('factor', '=', factor)
  await counters.execute()
}

/**
 * Ends the pauses now. It keeps the fact that there was a pause, so the next attempt starts the next one.
 *
 * @param never counters that are paused until then stay as they are.
 */
export async function unblockCounters(trx: Trx, subject: string, now: number, never: number): Promise<void> {
  await trx
    .updateTable('failure_counters')
    .set({ blocked_until: now })
    .where('subject', '=', subject)
    .where('blocked_until', '>', now)
    .where('blocked_until', '<', never)
    .execute()
}

const succeeded = prepared((db, param: Params<Counter & { now: number }>) =>
  db
    .updateTable('failure_counters')
    .set({ failures: 0, blocked_until: 0, succeeded_at: param('now') })
    .where('subject', '=', param('subject'))
    .where('factor', '=', param('factor')),
)

export async function succeedCounter(trx: Trx, subject: string, factor: string, now: number): Promise<void> {
  await succeeded.run(trx, { subject, factor, now })
}

const closedFactors = prepared((db, param: Params<{ subject: string; last: number }>) =>
  db
    .selectFrom('failure_counters')
    .select('factor')
    .where('subject', '=', param('subject'))
    .where('failures', '>=', param('last')),
)

/** The factors of a subject that failed so often that their codes are no longer evaluated. */
export async function listClosedFactors(db: Db, subject: string, last: number): Promise<string[]> {
  const rows = await closedFactors.all(db, { subject, last })
  return rows.map((row) => row.factor)
}

export async function deleteCounters(trx: Trx, subjects: readonly string[]): Promise<void> {
  if (subjects.length > 0) await trx.deleteFrom('failure_counters').where('subject', 'in', subjects).execute()
}
