import { type Kysely, sql } from 'kysely'

/** By far the most events, and the first to go: they are found among the others without looking at those. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createIndex('audit_events_refreshed_at')
    .on('audit_events')
    .column('at')
    .where(sql<boolean>`event = 'token_refreshed'`)
    .execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropIndex('audit_events_refreshed_at').execute()
}
