import { type Kysely, sql } from 'kysely'

/**
 * What codes by mail know of an account moves from the accounts to a table of their own. The columns are renamed before
 * they are read: that locks the table on PostgreSQL, so a process of the version before can write nothing that would
 * be dropped with them.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('accounts').renameColumn('email_factor_at', 'moved_email_factor_at').execute()
  await db.schema.alterTable('accounts').renameColumn('password_by_mail_at', 'moved_by_mail_at').execute()
  await db.schema
    .createTable('mailed_code_factors')
    .addColumn('account_id', 'text', (column) =>
      column.primaryKey().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('enrolled_at', 'bigint')
    .addColumn('password_by_mail_at', 'bigint')
    .execute()
  await sql`insert into mailed_code_factors (account_id, enrolled_at, password_by_mail_at)
    select id, moved_email_factor_at, moved_by_mail_at from accounts
    where moved_email_factor_at is not null or moved_by_mail_at is not null`.execute(db)
  await db.schema.alterTable('accounts').dropColumn('moved_email_factor_at').execute()
  await db.schema.alterTable('accounts').dropColumn('moved_by_mail_at').execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('accounts').addColumn('email_factor_at', 'bigint').execute()
  await db.schema.alterTable('accounts').addColumn('password_by_mail_at', 'bigint').execute()
  await sql`update accounts set
      email_factor_at = (select enrolled_at from mailed_code_factors where account_id = accounts.id),
      password_by_mail_at = (select password_by_mail_at from mailed_code_factors where account_id = accounts.id)
    where id in (select account_id from mailed_code_factors)`.execute(db)
  await db.schema.dropTable('mailed_code_factors').execute()
}
