import type { Kysely } from 'kysely'

export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('totp_factors')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('account_id', 'text', (column) =>
      column.notNull().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('sealed_secret', 'text', (column) => column.notNull())
    .addColumn('last_used_step', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('confirmed_at', 'bigint')
    .addUniqueConstraint('totp_factors_account_id_state', ['account_id', 'state'])
    .execute()
  await db.schema.createIndex('totp_factors_expires_at').on('totp_factors').column('expires_at').execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropTable('totp_factors').execute()
}
