import { sql } from 'kysely'
import type { Trx } from '../platform/database.ts'
import { type Params, prepared } from '../platform/prepared.ts'
import type { AuditEventRow } from './tables.ts'

const COLUMNS = [
  ...(['id', 'at', 'event', 'outcome', 'actor', 'method'] as const),
  ...(['account_id', 'session_id', 'ip', 'user_agent', 'request_id'] as const),
]

/** A value is named by its column and the number of its row. */
const namesOf = (row: number) => COLUMNS.map((column) => ({ column, name: `${column} ${row}` }))

/** The requests that apps send all day have as many events as this at most. */
const NAMES = [0, 1].map(namesOf)

/** So many rows in one statement. */
const insertOf = (count: number) =>
  prepared((db, param: Params<Record<string, AuditEventRow[keyof AuditEventRow]>>) =>
    db.insertInto('audit_events').values(
      NAMES.slice(0, count).map((names) => {
        const values = names.map(({ column, name }) => [column, param(name)])
        return Object.fromEntries(values) as AuditEventRow
      }),
    ),
  )

const INSERTS = NAMES.map((_, more) => insertOf(more + 1))

/** Writes events in one statement. @param events at least one. */
export async function insertAuditEvents(trx: Trx, events: readonly AuditEventRow[]): Promise<void> {
  const insert = INSERTS[events.length - 1]
  if (!insert) {
    await trx
      .insertInto('audit_events')
      .values([...events])
      .execute()
    return
  }
  const values: Record<string, AuditEventRow[keyof AuditEventRow]> = {}
  for (const [row, event] of events.entries())
    for (const { column, name } of NAMES[row] ?? []) values[name] = event[column]
  await insert.run(trx, values)
}

/** The condition of an index, word for word: without it, all events of an account would be read. */
const OF_FEW_KINDS = sql<boolean>`event in ('account_renamed', 'factor_pending', 'factor_renamed')`

/** Empties the usernames in the events of an account, which it is deleted with. */
export async function forgetUsernames(trx: Trx, accountId: string): Promise<void> {
  const renamings = trx.updateTable('audit_events').where(OF_FEW_KINDS).where('event', '=', 'account_renamed')
  await renamings.where('account_id', '=', accountId).set({ method: null }).execute()
}

/**
 * Inserts an event of one of the few kinds, unless the account has so many of its kind already.
 *
 * @param max how many it may have with an id between these two.
 */
export async function insertAuditEventWithin(
  trx: Trx,
  event: AuditEventRow,
  { max, after, before }: { max: number; after: string; before: string },
): Promise<void> {
  const last = trx
    .selectFrom('audit_events')
    .select('id')
    .where('account_id', '=', event.account_id)
    .where('id', '>', after)
    .where('id', '<', before)
    .where(OF_FEW_KINDS)
    .where('event', '=', event.event)
    .limit(1)
    .offset(max - 1)
  await trx
    .insertInto('audit_events')
    .columns(COLUMNS)
    .expression(
      trx
        .selectNoFrom((eb) => COLUMNS.map((column) => eb.val(event[column]).as(column)))
        .where((eb) => eb.not(eb.exists(last))),
    )
    .execute()
}
