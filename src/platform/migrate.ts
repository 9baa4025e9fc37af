import { type Migration, type MigrationResultSet, Migrator, NO_MIGRATIONS } from 'kysely/migration'
import { migrations } from '../../migrations/index.ts'
import { DatabaseError, type Db } from './database.ts'

/** One migration and whether this database has it. */
export interface MigrationState {
  name: string
  appliedAt: Date | null
}

/**
 * Brings the database up to this version. Safe while other processes do the same: one migrates, the others
 * wait and find nothing left to do.
 *
 * @returns the names of the migrations that were applied now.
 * @throws {DatabaseError} when one fails (nothing is kept of it) or the database is of a newer version.
 */
export async function migrateUp(db: Db): Promise<string[]> {
  return applied(await run(db, (migrator) => migrator.migrateToLatest()))
}

/** Takes back the last migration, or with `all` every one of them. */
export async function migrateDown(db: Db, { all = false } = {}): Promise<string[]> {
  return applied(
    await run(db, (migrator) => (all ? migrator.migrateTo(NO_MIGRATIONS) : migrator.migrateDown())),
  )
}

export async function migrationStatus(db: Db): Promise<MigrationState[]> {
  const all = await migratorFor(db).getMigrations()
  return all.map(({ name, executedAt }) => ({ name, appliedAt: executedAt ?? null }))
}

function migratorFor(db: Db): Migrator {
  const provider = { getMigrations: async (): Promise<Record<string, Migration>> => migrations }
  return new Migrator({ db, provider })
}

async function run(
  db: Db,
  action: (migrator: Migrator) => Promise<MigrationResultSet>,
): Promise<MigrationResultSet> {
  const outcome = await action(migratorFor(db))
  if (outcome.error === undefined) return outcome
  const failed = outcome.results?.find(({ status }) => status === 'Error')
  throw new DatabaseError(explainFailure(outcome.error, failed?.migrationName), { cause: outcome.error })
}

function explainFailure(error: unknown, migrationName?: string): string {
  const message = (error as Error).message
  if (message.includes('corrupted migrations'))
    return `The database was written by another, probably newer, version of Keyturn (${message}). Start that version, or restore a backup.`
  return `Migration ${migrationName ?? ''} failed: ${message}`
}

function applied({ results = [] }: MigrationResultSet): string[] {
  return results.filter(({ status }) => status === 'Success').map(({ migrationName }) => migrationName)
}
