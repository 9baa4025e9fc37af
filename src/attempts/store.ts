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

/** The network of an account, if the subject is one where it has signed in fully after `ownAfter`. */
const ownNetwork = (db: Db, param: Params<{ subject: string; ownAfter: number }>) =>
  db
    .selectFrom('own_networks')
    .select('own_networks.subject')
    .where('own_networks.subject', '=', param('subject'))
    .where('own_networks.signed_in_at', '>', param('ownAfter'))

export const findOwnNetwork = prepared(ownNetwork)

/**
 * Counts a failure, unless a pause is on: there is no row then. `own_network` is whether the subject is a network of an
 * account, with a full sign-in after `ownAfter`: that is asked in the same statement, which each password waits for.
 * `blocked_until` is the end of the previous pause; 0 when there was none.
 */
export const countFailure = prepared(
  (db, param: Params<Counter & Paused & { now: number; ownAfter: number }>) =>
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
      .returning((eb) => ['failures', 'blocked_until', eb.exists(ownNetwork(db, param)).as('own_network')]),
)

/** The pause that is on, if there is one. */
export const runningPause = prepared((db, param: Params<Counter & Paused>) =>
  db
    .selectFrom('failure_counters')
    .select('blocked_until')
    .where('subject', '=', param('subject'))
    .where('factor', '=', param('factor'))
    .where(isPause(param)),
)

/** The failures; until this transaction ends, no other request can reset them by a success. */
export const failuresSoFar = prepared((db, param: Params<Counter>) =>
  db
    .selectFrom('failure_counters')
    .select('failures')
    .where('subject', '=', param('subject'))
    .where('factor', '=', param('factor'))
    .forUpdate(),
)

/** Locks the counters in the order in which an attempt begins: two sign-ins of one name must not wait for each other. */
export const succeedCounters = prepared((db, param: Params<Counter & { also: string; now: number }>) =>
  db
    .updateTable('failure_counters')
    .set({ failures: 0, blocked_until: 0, succeeded_at: param('now') })
    .where('subject', 'in', (eb) =>
      eb
        .selectFrom('failure_counters as locked')
        .select('locked.subject')
        .where('locked.subject', 'in', [param('subject'), param('also')] as never)
        .where('locked.factor', '=', param('factor'))
        .orderBy((order) => order('locked.subject', '=', param('subject')), 'desc')
        .forUpdate(),
    )
    .where('factor', '=', param('factor')),
)

/** The factors of a subject that failed so often that their codes are no longer evaluated. */
export const closedFactors = prepared((db, param: Params<{ subject: string; last: number }>) =>
  db
    .selectFrom('failure_counters')
    .select('factor')
    .where('subject', '=', param('subject'))
    .where('failures', '>=', param('last')),
)

/** The pauses of a subject that are on, by factor. */
export async function listPauses(
  db: Db,
  subject: string,
  { after, upTo }: Paused,
): Promise<{ factor: string; until: number }[]> {
  return db
    .selectFrom('failure_counters')
    .select(['factor', 'blocked_until as until'])
    .where('subject', '=', subject)
    .where('blocked_until', '>', after)
    .where('blocked_until', '<=', upTo)
    .orderBy('factor')
    .execute()
}

const ofSubject = (trx: Trx, subject: string) =>
  trx.updateTable('failure_counters').where('subject', '=', subject)

export async function uncountFailure(trx: Trx, subject: string, factor: string): Promise<void> {
  await ofSubject(trx, subject)
    .set((eb) => ({ failures: eb('failures', '-', 1) }))
    .where('factor', '=', factor)
    .where('failures', '>', 0)
    .execute()
}

/** @param since only while this is the pause: none was started since. */
export async function setPause(
  trx: Trx,
  { subject, factor }: Counter,
  until: number,
  since?: number,
): Promise<void> {
  const counter = ofSubject(trx, subject).set({ blocked_until: until }).where('factor', '=', factor)
  await (since === undefined ? counter : counter.where('blocked_until', '=', since)).execute()
}

/** Sets one counter of the subject back to zero, or all of them. */
export async function clearCounters(trx: Trx, subject: string, factor?: string): Promise<void> {
  const counters = ofSubject(trx, subject).set({ failures: 0, blocked_until: 0 })
  await (factor === undefined ? counters : counters.where('factor', '=', factor)).execute()
}

/**
 * Ends the pauses now. It keeps the fact that there was a pause, so the next attempt starts the next one.
 *
 * @param never counters that are paused until then stay as they are.
 */
export async function unblockCounters(trx: Trx, subject: string, now: number, never: number): Promise<void> {
  await ofSubject(trx, subject)
    .set({ blocked_until: now })
    .where('blocked_until', '>', now)
    .where('blocked_until', '<', never)
    .execute()
}

export async function deleteCounters(trx: Trx, subjects: readonly string[]): Promise<void> {
  if (subjects.length > 0) await trx.deleteFrom('failure_counters').where('subject', 'in', subjects).execute()
}
