import type { Trx } from '../platform/database.ts'
import { type Params, prepared } from '../platform/prepared.ts'
import type { AuditEventRow } from './tables.ts'

export const insertAuditEvent = prepared((db, param: Params<AuditEventRow>) =>
  db.insertInto('audit_events').values({
    id: param('id'),
    at: param('at'),
    event: param('event'),
    outcome: param('outcome'),
    actor: param('actor'),
    method: param('method'),
    account_id: param('account_id'),
    session_id: param('session_id'),
    ip: param('ip'),
    user_agent: param('user_agent'),
    request_id: param('request_id'),
  }),
)

/**
 * Inserts an event, unless the account has so many of its kind already.
 *
 * @param max how many it may have with an id between these two.
 */
export async function insertAuditEventWithin(
  trx: Trx,
  event: AuditEventRow,
  { max, after, before }: { max: number; after: string; before: string },
): Promise<void> {
  const columns = Object.keys(event) as (keyof AuditEventRow)[]
  const last = trx
    .selectFrom('audit_events')
    .select('id')
    .where('account_id', '=', event.account_id)
    .where('id', '>', after)
    .where('id', '<', before)
    .where('event', '=', event.event)
    .limit(1)
    .offset(max - 1)
  await trx
    .insertInto('audit_events')
    .columns(columns)
    .expression(
      trx
        .selectNoFrom((eb) => columns.map((column) => eb.val(event[column]).as(column)))
        .where((eb) => eb.not(eb.exists(last))),
    )
    .execute()
}

export async function insertAuditEvents(trx: Trx, events: readonly AuditEventRow[]): Promise<void> {
  await trx
    .insertInto('audit_events')
    .values([...events])
    .execute()
}
