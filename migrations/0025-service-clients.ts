import type { Kysely } from 'kysely'

/** Services that sign in with a secret of their own, of which two are good while one takes the place of the other. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('service_clients')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('audiences', 'text', (column) => column.notNull())
    .addColumn('scopes', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('disabled_at', 'bigint')
    .addColumn('tokens_since', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('client_secrets')
    .addColumn('secret_hash', 'text', (column) => column.primaryKey())
    .addColumn('client_id', 'text', (column) =>
      column.notNull().references('service_clients.id').onDelete('cascade'),
    )
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint')
    .execute()
  await db.schema.createIndex('client_secrets_client').on('client_secrets').column('client_id').execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropTable('client_secrets').execute()
  await db.schema.dropTable('service_clients').execute()
}
