import type { Selectable } from 'kysely'
import type { Db, Trx } from '../platform/database.ts'
import type { AuditEventsTable } from '../platform/tables.ts'

export async function insertAuditEvent(trx: Trx, event: Selectable<AuditEventsTable>): Promise<void> {
  await trx.insertInto('audit_events').values(event).execute()
}

/** The events of an account, the latest first. @param before the id of the last one already seen. */
export async function listAuditEvents(
  db: Db,
  accountId: string,
  before: string | undefined,
  limit: number,
): Promise<Selectable<AuditEventsTable>[]> {
  let events = db.selectFrom('audit_events').selectAll().where('account_id', '=', accountId)
  if (before !== undefined) events = events.where('id', '<', before)
  return events.orderBy('id', 'desc').limit(limit).execute()
}
