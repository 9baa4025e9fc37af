import type { Kysely } from 'kysely'

export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('challenges')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('account_id', 'text', (column) =>
      column.notNull().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('wrong_codes', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('consumed_at', 'bigint')
    .execute()
  await db.schema.createIndex('challenges_account_id').on('challenges').column('account_id').execute()
  await db.schema.createIndex('challenges_expires_at').on('challenges').column('expires_at').execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropTable('challenges').execute()
}
