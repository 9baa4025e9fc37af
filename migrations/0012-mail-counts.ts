import type { Kysely } from 'kysely'

export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('mail_counts')
    .addColumn('subject', 'text', (column) => column.primaryKey())
    .addColumn('since', 'bigint', (column) => column.notNull())
    .addColumn('mails', 'integer', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('mail_counts_since').on('mail_counts').column('since').execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropTable('mail_counts').execute()
}
