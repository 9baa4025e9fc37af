import { type Kysely, sql } from 'kysely'

/** An account may have a million events of refreshes. These are looked for among them by their kind. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createIndex('audit_events_of_few_kinds')
    .on('audit_events')
    .columns(['account_id', 'event', 'id'])
    .where(sql<boolean>`event in ('account_renamed', 'factor_pending', 'factor_renamed')`)
    .execute()
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropIndex('audit_events_of_few_kinds').execute()
}
