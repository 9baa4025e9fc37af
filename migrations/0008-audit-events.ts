import type { Kysely } from 'kysely'

export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('audit_events')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('event', 'text', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('method', 'text')
    .addColumn('account_id', 'text')
    .addColumn('session_id', 'text')
    .addColumn('ip', 'text', (column) => column.notNull())
    .addColumn('user_agent', 'text', (column) => column.notNull())
    .addColumn('request_id', 'text', (column) => column.notNull())
    .execute()
  await db.schema
    .createIndex('audit_events_account_id')
    .on('audit_events')
    .columns(['account_id', 'id'])
    .execute()
  await db.schema.createIndex('audit_events_at').on('audit_events').column('at').execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropTable('audit_events').execute()
}
