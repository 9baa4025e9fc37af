import type { Kysely } from 'kysely'

/** A first factor is confirmed by the sign-in that has shown the enrolment code, and by no other. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('enrolment_codes').addColumn('shown_by', 'text').execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('enrolment_codes').dropColumn('shown_by').execute()
}
