import { type Kysely, sql } from 'kysely'

const OLD = 'audit_events_account_deleted_at'
const NEW = 'audit_events_account_gone_at'

/** Expired accounts are found as deleted ones are: by the event of their end, while that still says who ended them. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`update audit_events set user_agent = 'keyturn'
    where event = 'account_expired' and user_agent = ''`.execute(db)
  await db.schema.dropIndex(OLD).execute()
  await db.schema
    .createIndex(NEW)
    .on('audit_events')
    .columns(['at', 'id'])
    .where(sql<boolean>`event in ('account_deleted', 'account_expired') and (ip <> '' or user_agent <> '')`)
    .execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropIndex(NEW).execute()
  await db.schema
    .createIndex(OLD)
    .on('audit_events')
    .column('at')
    .where(sql<boolean>`event = 'account_deleted' and (ip <> '' or user_agent <> '')`)
    .execute()
}
