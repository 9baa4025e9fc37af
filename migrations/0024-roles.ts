import type { Kysely } from 'kysely'

/** The roles of an account, in order and with blanks between them. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .alterTable('accounts')
    .addColumn('roles', 'text', (column) => column.notNull().defaultTo(''))
    .execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('accounts').dropColumn('roles').execute()
}
