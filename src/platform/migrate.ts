import { setTimeout as sleep } from 'node:timers/promises'
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
import { VERSION } from '../version.ts'
import { adapterOf, DatabaseError, type Db, inTransaction, type Trx } from './database.ts'
import { isLocked, isWorthRepeating } from './database-errors.ts'

/** A migration, and when this database got it. */
export interface MigrationState {
  name: string
  appliedAt: Date | null
  /** Whether this version has it; one that it does not have is of a newer version. */
  known: boolean
}

/**
 * Brings the database up to this version. Several processes may do so at once: one migrates, and the others wait and
 * find nothing left to do. When there is nothing to do, no right to change tables is needed. One that a newer version has
 * added to stays as it is, if this one can serve it.
 *
 * @param requireKeys asked before a database is changed. @throws for a database that these keys do not open.
 * @returns the names of the migrations that were applied now.
 * @throws {DatabaseError} when one fails (nothing of it is kept) or this version is too old for the database.
 */
export async function migrateUp(db: Db, requireKeys = async () => {}): Promise<string[]> {
  const states = await migrationStatus(db)
  const fault = faultOfSchema(states)
  if (fault !== undefined) throw new DatabaseError(fault)
  if (states.every(({ appliedAt }) => appliedAt)) return []
  await requireKeys()
  return applied(await run(db, (migrator) => migrator.migrateToLatest()))
}

/** Undoes the last migration, or all of them. */
export async function migrateDown(db: Db, { all = false } = {}): Promise<string[]> {
  return applied(
    await run(db, (migrator) => (all ? migrator.migrateTo(NO_MIGRATIONS) : migrator.migrateDown())),
  )
}

/** Every migration of this version, and those that a newer version has added. */
export async function migrationStatus(db: Db): Promise<MigrationState[]> {
  const all = await migratorFor(db).getMigrations()
  const states = all.map(({ name, executedAt }) => ({ name, appliedAt: executedAt ?? null, known: true }))
  if (!states.some(({ appliedAt }) => appliedAt)) return states
  const { rows } = await sql<{ name: string; timestamp: string }>`
    select name, timestamp from ${sql.table(DEFAULT_MIGRATION_TABLE)} order by name`.execute(db)
  const newer = rows.filter(({ name }) => !Object.hasOwn(migrations, name))
  return [
    ...states,
    ...newer.map(({ name, timestamp }) => ({ name, appliedAt: new Date(timestamp), known: false })),
  ]
}

/** Whether the database has exactly the migrations of this version. */
export async function isCurrent(db: Db): Promise<boolean> {
  return (await migrationStatus(db)).every(({ appliedAt, known }) => appliedAt && known)
}

/**
 * Why this version cannot serve a database that others have migrated. A migration that the version before it cannot live
 * with says in its name from which one on the database can be served: `0031-no-more-x--from-0.4.0`. All others only add.
 */
export function faultOfSchema(states: readonly MigrationState[], version = VERSION): string | undefined {
  const newer = states.filter(({ known }) => !known).map(({ name }) => name)
  if (newer.includes(UNFINISHED_COPY)) return BROKEN_OFF
  const servedFrom = newer
    .map((name) => /--from-(\d+\.\d+\.\d+)$/.exec(name)?.[1] ?? '')
    .sort(byVersion)
    .at(-1)
  if (servedFrom && byVersion(servedFrom, version) > 0)
    return `This is Keyturn ${version}, and the database was written by a newer one: it can be served from ${servedFrom} on. Install that version or a newer one, or restore a backup of before the upgrade.`
  const missing = states.filter(({ appliedAt }) => !appliedAt).map(({ name }) => name)
  if (newer.length > 0 && missing.length > 0)
    return `The database was written by another version of Keyturn (it has ${newer.join(', ')}, and not ${missing.join(', ')}). Start that version, or restore a backup.`
  return undefined
}

/** What comes before a release counts as the release. */
function byVersion(one: string, other: string): number {
  const [a = '', b = ''] = [one, other].map((version) => version.replace(/-.*/, ''))
  return a.localeCompare(b, 'en', { numeric: true })
}

/** Recorded among the migrations of a database that is being copied into: no service starts on half of a copy. */
const UNFINISHED_COPY = 'unfinished-copy'

const BROKEN_OFF =
  'A copy into this database was broken off. Finish it with "keyturn copy", or take a new database.'

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
  const adapter = adapterOf(db)
  const migrate = () =>
    inTransaction(db, async (trx) => {
      await adapter.acquireMigrationLock(trx, {
        lockTable: DEFAULT_MIGRATION_LOCK_TABLE,
        lockRowId: MIGRATION_LOCK_ID,
      })
      await requireRight(trx)
      const outcome = await action(migratorFor(trx))
      if (outcome.error === undefined) return outcome
      const failed = outcome.results?.find(({ status }) => status === 'Error')
      throw failure(outcome.error, failed?.migrationName)
    })
  await adapter.sortInFiles(db, true)
  try {
    for (let tries = 1; ; tries++)
      try {
        return await migrate()
      } catch (error) {
        if (!isLocked(error)) throw error
        // A backup may take hours. Meanwhile the services that run go on.
        if (tries % TRIES_A_WARNING === 2) {
          const lockers = await adapter.lockersOf(db, { readers: true }).catch(() => [])
          process.emitWarning([WAITING, ...(lockers.length > 0 ? [THESE, ...lockers] : [])].join(' '))
        }
        await sleep(LOCK_PAUSE_MS)
      }
  } finally {
    await adapter.sortInFiles(db, false)
  }
}

/** Between two tries to lock tables, in milliseconds. */
const LOCK_PAUSE_MS = 1_000

/** They take about a minute. */
const TRIES_A_WARNING = 24

const WAITING = 'The migration waits for tables that are in use, such as by a backup, and tries again.'
const THESE = 'These have locks:'

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
  if (isWorthRepeating(error) || isLocked(error)) return error
  return new DatabaseError(explainFailure(error, migrationName), { cause: error })
}

/** SQLSTATE of PostgreSQL. */
const INSUFFICIENT_PRIVILEGE = '42501'

function explainFailure(error: unknown, migrationName?: string): string {
  const message = (error as Error).message
  if (message.includes(UNFINISHED_COPY)) return BROKEN_OFF
  if (message.includes('corrupted migrations'))
    return `A newer version of Keyturn has added to the database (${message}). It takes that back itself: run this command of that version first.`
  if ((error as { code?: string }).code === INSUFFICIENT_PRIVILEGE)
    return `The database has to be migrated, and its user may not do that (${message}). Run "keyturn migrate up" as the user who owns the tables.`
  return `Migration ${migrationName ?? ''} failed: ${message}`
}

function applied({ results = [] }: MigrationResultSet): string[] {
  return results.filter(({ status }) => status === 'Success').map(({ migrationName }) => migrationName)
}
