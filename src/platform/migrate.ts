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
import { DatabaseError, type Db, inTransaction, type Trx } from './database.ts'
import { isWorthRepeating } from './database-errors.ts'

/** A migration, and when this database got it. */
export interface MigrationState {
  name: string
  appliedAt: Date | null
}

/**
 * Brings the database up to this version. Several processes may do so at once: one migrates, and the others wait and
 * find nothing left to do. When there is nothing to do, no right to change tables is needed.
 *
 * @returns the names of the migrations that were applied now.
 * @throws {DatabaseError} when one fails (nothing of it is kept) or the database is of a newer version.
 */
export async function migrateUp(db: Db): Promise<string[]> {
  if (await isCurrent(db)) return []
  return applied(await run(db, (migrator) => migrator.migrateToLatest()))
}

/** Undoes the last migration, or all of them. */
export async function migrateDown(db: Db, { all = false } = {}): Promise<string[]> {
  return applied(
    await run(db, (migrator) => (all ? migrator.migrateTo(NO_MIGRATIONS) : migrator.migrateDown())),
  )
}

export async function migrationStatus(db: Db): Promise<MigrationState[]> {
  const all = await migratorFor(db).getMigrations()
  return all.map(({ name, executedAt }) => ({ name, appliedAt: executedAt ?? null }))
}

/** Whether the database has exactly the migrations of this version. */
export async function isCurrent(db: Db): Promise<boolean> {
  const states = await migrationStatus(db)
  if (states.some(({ appliedAt }) => appliedAt === null)) return false
  const { rows } = await sql`select name from ${sql.table(DEFAULT_MIGRATION_TABLE)}`.execute(db)
  return rows.length === states.length
}

/** Recorded among the migrations of a database that is being copied into: no service starts on half of a copy. */
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

/** Runs all of it in one transaction, in one process at a time. If it fails, nothing is kept. */
async function run(
  db: Db,
  action: (migrator: Migrator) => Promise<MigrationResultSet>,
): Promise<MigrationResultSet> {
  return inTransaction(db, async (trx) => {
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

/**
 * The error of a migration says so too, but not in an empty database: when PostgreSQL refuses the migrator its own
 * table, the migrator looks whether the table is there, and throws what it gets for asking in a failed transaction.
 */
async function requireRight(trx: Trx): Promise<void> {
  try {
    await trx.schema.createTable('right_to_migrate').addColumn('x', 'text').execute()
    await trx.schema.dropTable('right_to_migrate').execute()
  } catch (error) {
    throw failure(error)
  }
}

/** An error for the operator, unless it may be different the next time. */
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
