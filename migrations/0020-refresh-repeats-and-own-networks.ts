import type { Kysely } from 'kysely'

/**
 * A refresh that is repeated is known by its `Idempotency-Key`, and the owner sees when one was answered again. An
 * account has networks of its own: those where it has signed in fully.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('refresh_tokens').addColumn('idempotency_key_hash', 'text').execute()
  await db.schema.alterTable('sessions').addColumn('refresh_repeated_at', 'bigint').execute()
  await db.schema
    .createTable('own_networks')
    .addColumn('subject', 'text', (column) => column.primaryKey())
    .addColumn('account_id', 'text', (column) =>
      column.notNull().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('signed_in_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('own_networks_account_id').on('own_networks').column('account_id').execute()
  await db.schema.createIndex('own_networks_signed_in_at').on('own_networks').column('signed_in_at').execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropTable('own_networks').execute()
  await db.schema.alterTable('sessions').dropColumn('refresh_repeated_at').execute()
  await db.schema.alterTable('refresh_tokens').dropColumn('idempotency_key_hash').execute()
}
