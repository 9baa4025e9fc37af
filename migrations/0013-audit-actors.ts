import type { Kysely } from 'kysely'

export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .alterTable('audit_events')
    .addColumn('actor', 'text', (column) => column.notNull().defaultTo('client'))
    .execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('audit_events').dropColumn('actor').execute()
}
