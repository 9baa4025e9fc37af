import type { Selectable } from 'kysely'
import type { Db, Trx } from '../platform/database.ts'
import { prepared } from '../platform/prepared.ts'
import type { AuditEventsTable } from '../platform/tables.ts'

type AuditEvent = Selectable<AuditEventsTable>

const insertEvent = prepared((db, event: AuditEvent) =>
  db.insertInto('audit_events').values({
    id: event.id,
    at: event.at,
    event: event.event,
    outcome: event.outcome,
    actor: event.actor,
    method: event.method,
    account_id: event.account_id,
    session_id: event.session_id,
    ip: event.ip,
    user_agent: event.user_agent,
    request_id: event.request_id,
  }),
)

export async function insertAuditEvent(trx: Trx, event: AuditEvent): Promise<void> {
  await insertEvent.run(trx, event)
}

export async function insertAuditEvents(trx: Trx, events: readonly AuditEvent[]): Promise<void> {
  await trx
    .insertInto('audit_events')
    .values([...events])
    .execute()
}

/** Where wrong passwords of an account came from. */
export async function listTriedFrom(db: Db, accountId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('audit_events')
    .select('ip')
    .distinct()
    .where('account_id', '=', accountId)
    .where('event', '=', 'password_refused')
    .execute()
  return rows.map(({ ip }) => ip)
}

/** The events of an account, the latest first. @param before the id of the last one already seen. */
export async function listAuditEvents(
  db: Db,
  accountId: string,
  before: string | undefined,
  limit: number,
): Promise<AuditEvent[]> {
  let events = db.selectFrom('audit_events').selectAll().where('account_id', '=', accountId)
  if (before !== undefined) events = events.where('id', '<', before)
  return events.orderBy('id', 'desc').limit(limit).execute()
}
