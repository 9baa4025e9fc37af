import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<never>): Promise<void> {
  // What tells codes that were used from a clock that was ahead: more than the greatest time step.
  await db.schema
    .alterTable('totp_factors')
    .addColumn('other_steps', 'text', (column) => column.notNull().defaultTo(''))
    .execute()
  // Deleted accounts whose events still say from where: found without reading the other events.
  await db.schema
    .createIndex('audit_events_account_deleted_at')
    .on('audit_events')
    .column('at')
    .where(sql<boolean>`event = 'account_deleted' and (ip <> '' or user_agent <> '')`)
    .execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropIndex('audit_events_account_deleted_at').execute()
  await db.schema.alterTable('totp_factors').dropColumn('other_steps').execute()
}
