import type { Kysely } from 'kysely'

/**
 * Wrong passwords are counted for the recovery code that they came with. An account whose factors an operator has reset
 * owes an enrolment code.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .alterTable('recovery_codes')
    .addColumn('wrong_passwords', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await db.schema
    .createTable('enrolment_codes')
    .addColumn('account_id', 'text', (column) =>
      column.primaryKey().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('code_hash', 'text', (column) => column.notNull())
    .addColumn('wrong_codes', 'integer', (column) => column.notNull())
    .addColumn('mailed', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropTable('enrolment_codes').execute()
  await db.schema.alterTable('recovery_codes').dropColumn('wrong_passwords').execute()
}
