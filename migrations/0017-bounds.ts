import { type Kysely, sql } from 'kysely'

/** What bounds the rows that one person can make, and the repeats of refreshes that are recorded. */
export async function up(db: Kysely<never>): Promise<void> {
  // The sessions of an account beyond the limit are found without reading the others.
  await db.schema
    .createIndex('sessions_live')
    .on('sessions')
    .columns(['account_id', 'last_used_at', 'id'])
    .where(sql<boolean>`ended_at is null`)
    .execute()
  await db.schema
    .alterTable('sessions')
    .addColumn('refreshes_since', 'bigint', (column) => column.notNull().defaultTo(0))
    .execute()
  await db.schema
    .alterTable('sessions')
    .addColumn('refreshes', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()

  await db.schema.alterTable('refresh_tokens').addColumn('repeated_at', 'bigint').execute()

  await db.schema
    .createTable('recovery_code_renewals')
    .addColumn('account_id', 'text', (column) =>
      column.primaryKey().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('since', 'bigint', (column) => column.notNull())
    .addColumn('renewals', 'integer', (column) => column.notNull())
    .execute()
  await db.schema
    .createIndex('recovery_code_renewals_since')
    .on('recovery_code_renewals')
    .column('since')
    .execute()

  // Accounts from before this migration keep null: nothing tells whether an operator made or reset them.
  await db.schema.alterTable('accounts').addColumn('unenrolled_since', 'bigint').execute()
  await db.schema
    .createIndex('accounts_unenrolled_since')
    .on('accounts')
    .column('unenrolled_since')
    .where(sql<boolean>`unenrolled_since is not null`)
    .execute()

  await db.schema
    .createIndex('failure_counters_few_at')
    .on('failure_counters')
    .column('last_failed_at')
    .where(sql<boolean>`factor = 'password' and failures < 10 and succeeded_at is null`)
    .execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropIndex('failure_counters_few_at').execute()
  await db.schema.dropIndex('accounts_unenrolled_since').execute()
  await db.schema.alterTable('accounts').dropColumn('unenrolled_since').execute()
  await db.schema.dropTable('recovery_code_renewals').execute()
  await db.schema.alterTable('refresh_tokens').dropColumn('repeated_at').execute()
  await db.schema.alterTable('sessions').dropColumn('refreshes').execute()
  await db.schema.alterTable('sessions').dropColumn('refreshes_since').execute()
  await db.schema.dropIndex('sessions_live').execute()
}
