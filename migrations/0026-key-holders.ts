import type { Kysely } from 'kysely'

/** Which keys of `SECRET_KEY` have sealed here, and which replicas hold which of them now. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('secret_keys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('sealing_since', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('replicas')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('instance', 'text', (column) => column.notNull())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('key_ids', 'text', (column) => column.notNull())
    .addColumn('seen_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('replicas_seen_at').on('replicas').column('seen_at').execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropTable('replicas').execute()
  await db.schema.dropTable('secret_keys').execute()
}
