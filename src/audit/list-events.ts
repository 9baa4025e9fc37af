import type { Db } from '../platform/database.ts'
import { earliestId } from '../platform/ids.ts'
import type { Actor, EventName } from './events.ts'
import type { AuditEventRow } from './tables.ts'

export interface EventFilter {
  accountId?: string
  event?: EventName
  actor?: Actor
  /** Epoch milliseconds. */
  since?: number
  /** The id of the last one already seen. */
  before?: string | undefined
  limit: number
}

/** The latest events, the latest of them first. */
export async function listEvents(
  db: Db,
  { accountId, event, actor, since, before, limit }: EventFilter,
): Promise<AuditEventRow[]> {
  let events = db.selectFrom('audit_events').selectAll()
  if (accountId) events = events.where('account_id', '=', accountId)
  if (event) events = events.where('event', '=', event)
  if (actor) events = events.where('actor', '=', actor)
  if (since !== undefined) events = events.where('at', '>=', since)
  if (before !== undefined) events = events.where('id', '<', before)
  return events.orderBy('id', 'desc').limit(limit).execute()
}

const addressesOf = (db: Db, accountId: string) =>
  db.selectFrom('audit_events').select('ip').distinct().where('account_id', '=', accountId)

/**
 * The addresses that wrong passwords of an account came from.
 *
 * @param since epoch milliseconds.
 */
export async function listTriedFrom(db: Db, accountId: string, since = 0): Promise<string[]> {
  const rows = await addressesOf(db, accountId)
    .where('event', '=', 'password_refused')
    // By the id, which has an index and sorts by time.
    .where('id', '>=', earliestId(since))
    .execute()
  return rows.map(({ ip }) => ip)
}

/**
 * The accounts that attempts were paused of.
 *
 * @param since epoch milliseconds.
 */
export async function listPausedAccounts(db: Db, since: number): Promise<string[]> {
  const rows = await db
    .selectFrom('audit_events')
    .select('account_id')
    .distinct()
    .where('event', '=', 'attempts_paused')
    .where('id', '>=', earliestId(since))
    .where('account_id', 'is not', null)
    .execute()
  return rows.map(({ account_id }) => String(account_id))
}

/** Every network address in the events of an account. */
export async function listAddressesOf(db: Db, accountId: string): Promise<string[]> {
  return (await addressesOf(db, accountId).execute()).map(({ ip }) => ip)
}

/** The time of the latest event, in epoch milliseconds; 0 when there is none. */
export async function latestEventAt(db: Db): Promise<number> {
  const row = await db
    .selectFrom('audit_events')
    .select((eb) => eb.fn.max('at').as('at'))
    .executeTakeFirst()
  return Number(row?.at ?? 0)
}
