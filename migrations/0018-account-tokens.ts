import type { Kysely } from 'kysely'

/**
 * An account counts its changes: an account token carries the count, and is good for the next change only. A session
 * knows when its password and its factor were shown, and how many wrong answers it gave since the last right one.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .alterTable('accounts')
    .addColumn('change_count', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await db.schema.alterTable('sessions').addColumn('password_at', 'bigint').execute()
  await db.schema.alterTable('sessions').addColumn('factor_at', 'bigint').execute()
  await db.schema.alterTable('sessions').addColumn('factor_since', 'bigint').execute()
  await db.schema
    .alterTable('sessions')
    .addColumn('step_up_attempts', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  for (const column of ['step_up_attempts', 'factor_since', 'factor_at', 'password_at'])
    await db.schema.alterTable('sessions').dropColumn(column).execute()
  await db.schema.alterTable('accounts').dropColumn('change_count').execute()
}
