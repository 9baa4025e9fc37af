import { type Kysely, sql } from 'kysely'

/**
 * Accounts are found by a proven address. A new address can be proven by a link too, which knows the session that
 * asked for it. An account knows whether it has signed in before, and when its owner was last told of a new network.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createIndex('accounts_proven_email')
    .on('accounts')
    .expression(sql`lower(email)`)
    .where(sql<boolean>`email_verified_at is not null`)
    .execute()
  await db.schema.alterTable('accounts').addColumn('new_network_at', 'bigint').execute()
  await db.schema.alterTable('email_changes').addColumn('token_hash', 'text').execute()
  await db.schema.alterTable('email_changes').addColumn('token_sent_at', 'bigint').execute()
  await db.schema.alterTable('email_changes').addColumn('session_id', 'text').execute()
  await db.schema
    .createIndex('email_changes_token_hash')
    .on('email_changes')
    .column('token_hash')
    .unique()
    .execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropIndex('email_changes_token_hash').execute()
  for (const column of ['session_id', 'token_sent_at', 'token_hash'])
    await db.schema.alterTable('email_changes').dropColumn(column).execute()
  await db.schema.alterTable('accounts').dropColumn('new_network_at').execute()
  await db.schema.dropIndex('accounts_proven_email').execute()
}
