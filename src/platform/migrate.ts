import { sql } from 'kysely'
import {
  DEFAULT_MIGRATION_LOCK_TABLE,
  DEFAULT_MIGRATION_TABLE,
  MIGRATION_LOCK_ID,
  type Migration,
  type MigrationResultSet,
  Migrator,
  NO_MIGRATIONS,
} from 'kysely/migration'
import { migrations } from '../../migrations/index.ts'
import { DatabaseError, type Db, type Trx } from './database.ts'
import { isWorthRepeating } from './database-errors.ts'

/** One migration and whether this database has it. */
export interface MigrationState {
  name: string
  appliedAt: Date | null
}

/**
 * Brings the database up to this version. Safe while other processes do the same: one migrates, the others
 * wait and find nothing left to do. Where there is nothing to do, nothing is asked of the database that needs a
 * right to change its tables.
 *
 * @returns the names of the migrations that were applied now.
 * @throws {DatabaseError} when one fails (nothing is kept of it) or the database is of a newer version.
 */
export async function migrateUp(db: Db): Promise<string[]> {
  if (await isCurrent(db)) return []
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

/** Whether the database has these very migrations, no fewer and no more. */
export async function isCurrent(db: Db): Promise<boolean> {
  const states = await migrationStatus(db)
  if (states.some(({ appliedAt }) => appliedAt === null)) return false
  const { rows } = await sql`select name from ${sql.table(DEFAULT_MIGRATION_TABLE)}`.execute(db)
  return rows.length === states.length
}

/** Stands among the migrations of a database that is being copied into: no service starts on half of one. */
const UNFINISHED_COPY = 'unfinished-copy'

/** Marks a migrated database as one that is being copied into. */
export async function beginCopy(trx: Trx): Promise<void> {
  await sql`insert into ${sql.table(DEFAULT_MIGRATION_TABLE)} (name, timestamp)
    select ${UNFINISHED_COPY}, max(timestamp) from ${sql.table(DEFAULT_MIGRATION_TABLE)}`.execute(trx)
}

export async function endCopy(db: Db): Promise<void> {
  await sql`delete from ${sql.table(DEFAULT_MIGRATION_TABLE)} where name = ${UNFINISHED_COPY}`.execute(db)
}

/** @throws {DatabaseError} when the copy was begun by another version. */
export async function isUnfinishedCopy(db: Db): Promise<boolean> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === DEFAULT_MIGRATION_TABLE)) return false
  const { rows } = await sql<{
    name: string
  }>`select name from ${sql.table(DEFAULT_MIGRATION_TABLE)}`.execute(db)
  const names = rows.map(({ name }) => name)
  if (!names.includes(UNFINISHED_COPY)) return false
  if (rows.length !== Object.keys(migrations).length + 1)
    throw new DatabaseError(
      'The target holds an unfinished copy by another version. Copy into a new database.',
    )
  return true
}

function migratorFor(db: Db): Migrator {
  const provider = { getMigrations: async (): Promise<Record<string, Migration>> => migrations }
  return new Migrator({ db, provider })
}

/** All in one transaction, and one process at a time: of what fails nothing is kept. */
async function run(
  db: Db,
  action: (migrator: Migrator) => Promise<MigrationResultSet>,
): Promise<MigrationResultSet> {
  return db.transaction().execute(async (trx) => {
    await trx.getExecutor().adapter.acquireMigrationLock(trx, {
      lockTable: DEFAULT_MIGRATION_LOCK_TABLE,
      lockRowId: MIGRATION_LOCK_ID,
    })
    await requireRight(trx)
    const outcome = await action(migratorFor(trx))
    if (outcome.error === undefined) return outcome
    const failed = outcome.results?.find(({ status }) => status === 'Error')
    throw failure(outcome.error, failed?.migrationName)
  })
}

/** Kysely's migrator would hide it behind the errors that follow from it. */
async function requireRight(trx: Trx): Promise<void> {
  try {
    await trx.schema.createTable('right_to_migrate').addColumn('x', 'text').execute()
    await trx.schema.dropTable('right_to_migrate').execute()
  } catch (error) {
    throw failure(error)
  }
}

/** For the operator, unless it may be different the next time. */
function failure(error: unknown, migrationName?: string): unknown {
  if (isWorthRepeating(error)) return error
  return new DatabaseError(explainFailure(error, migrationName), { cause: error })
}

/** SQLSTATE of PostgreSQL. */
const INSUFFICIENT_PRIVILEGE = '42501'

function explainFailure(error: unknown, migrationName?: string): string {
  const message = (error as Error).message
  if (message.includes(UNFINISHED_COPY))
    return 'A copy into this database was broken off. Finish it with "npm run keyturn -- copy", or take a new database.'
  if (message.includes('corrupted migrations'))
    return `The database was written by another, probably newer, version of Keyturn (${message}). Start that version, or restore a backup.`
  if ((error as { code?: string }).code === INSUFFICIENT_PRIVILEGE)
    return `The database has to be migrated, and its user may not do that (${message}). Run "npm run migrate -- up" as the user who owns the tables.`
  return `Migration ${migrationName ?? ''} failed: ${message}`
}

function applied({ results = [] }: MigrationResultSet): string[] {
  return results.filter(({ status }) => status === 'Success').map(({ migrationName }) => migrationName)
}
