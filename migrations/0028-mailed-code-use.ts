import type { Kysely } from 'kysely'

/** When the owner last signed in with a mailed code. The codes themselves are gone within minutes. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('mailed_code_factors').addColumn('last_used_at', 'bigint').execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('mailed_code_factors').dropColumn('last_used_at').execute()
}
