import { type Kysely, sql } from 'kysely'

/**
 * Passkeys, and several authenticators of an account, each with a name. A table cannot lose a constraint on SQLite, so the
 * authenticators wait in another one while their table is made again: renamed, it would keep other names for its constraints on
 * PostgreSQL. A pending one belongs to the sign-in or session that began it; the ones from before end.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`create table old_totp_factors as select * from totp_factors where state = 'active'`.execute(db)
  await db.schema.dropTable('totp_factors').execute()
  await createAuthenticators(db)
  await sql`insert into totp_factors (id, account_id, state, sealed_secret, last_used_step, other_steps, created_at,
      confirmed_at, name)
    select id, account_id, state, sealed_secret, last_used_step, other_steps, created_at, confirmed_at, 'Authenticator'
    from old_totp_factors`.execute(db)
  await db.schema.dropTable('old_totp_factors').execute()
  await index(db, 'totp_factors', 'account_id')
  await index(db, 'totp_factors', 'expires_at')

  await db.schema
    .createTable('passkeys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('account_id', 'text', (column) =>
      column.notNull().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('credential_id', 'text', (column) => column.notNull().unique())
    .addColumn('public_key', 'text', (column) => column.notNull())
    .addColumn('rp_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('transports', 'text', (column) => column.notNull())
    .addColumn('sign_count', 'bigint', (column) => column.notNull())
    .addColumn('backup_eligible', 'integer', (column) => column.notNull())
    .addColumn('backed_up', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint')
    .addColumn('removed_at', 'bigint')
    .execute()
  await index(db, 'passkeys', 'account_id')
  await index(db, 'passkeys', 'removed_at')
  await index(db, 'passkeys', 'rp_id')
  await db.schema
    .createTable('spent_passkey_challenges')
    .addColumn('challenge', 'text', (column) => column.primaryKey())
    .addColumn('account_id', 'text', (column) =>
      column.notNull().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await index(db, 'spent_passkey_challenges', 'account_id')
  await index(db, 'spent_passkey_challenges', 'expires_at')
}

/** Of several authenticators the one added last stays. */
export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropTable('spent_passkey_challenges').execute()
  await db.schema.dropTable('passkeys').execute()
  await sql`delete from totp_factors where state = 'pending' or id not in
    (select max(id) from totp_factors where state = 'active' group by account_id)`.execute(db)
  for (const column of ['name', 'last_used_at', 'begun_by', 'replaces', 'tried'])
    await db.schema.alterTable('totp_factors').dropColumn(column).execute()
  await db.schema.dropIndex('totp_factors_account_id').execute()
  await db.schema
    .createIndex('totp_factors_account_id_state')
    .unique()
    .on('totp_factors')
    .columns(['account_id', 'state'] as never)
    .execute()
}

async function createAuthenticators(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('totp_factors')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('account_id', 'text', (column) =>
      column.notNull().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('sealed_secret', 'text', (column) => column.notNull())
    .addColumn('last_used_step', 'bigint', (column) => column.notNull())
    .addColumn('other_steps', 'text', (column) => column.notNull().defaultTo(''))
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('confirmed_at', 'bigint')
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint')
    .addColumn('begun_by', 'text')
    .addColumn('replaces', 'text')
    .addColumn('tried', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
}

async function index(db: Kysely<never>, table: string, column: string): Promise<void> {
  await db.schema
    .createIndex(`${table}_${column}`)
    .on(table)
    .column(column as never)
    .execute()
}
