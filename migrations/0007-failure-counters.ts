import type { Kysely } from 'kysely'

export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('failure_counters')
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('factor', 'text', (column) => column.notNull())
    .addColumn('failures', 'integer', (column) => column.notNull())
    .addColumn('blocked_until', 'bigint', (column) => column.notNull())
    .addColumn('last_failed_at', 'bigint', (column) => column.notNull())
    .addColumn('succeeded_at', 'bigint')
    .addPrimaryKeyConstraint('failure_counters_pk', ['subject', 'factor'])
    .execute()
  await db.schema
    .createIndex('failure_counters_last_failed_at')
    .on('failure_counters')
    .column('last_failed_at')
    .execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropTable('failure_counters').execute()
}
