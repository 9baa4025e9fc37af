import { sql } from 'kysely'
import type { Clock } from '../../platform/clock.ts'
import { adapterOf, type Db } from '../../platform/database.ts'
import { faultOfSchema, type MigrationState, migrationStatus } from '../../platform/migrate.ts'
import { STRANGE_LOG } from '../../platform/sqlite-faults.ts'
import { tryToStore } from '../../upkeep/probe.ts'
import { fail, ok, type Result, warn } from './finding.ts'
import type { ForeignTime } from './other-machines.ts'

/**
 * Checks that the database has the tables of this version, accepts writes, and keeps confirmed writes through a power
 * cut.
 *
 * @returns `readable` as well: whether the other checks can ask its tables.
 */
export async function checkDatabase(
  db: Db,
  databaseUrl: string,
  clock: Clock,
): Promise<{ findings: Result[]; readable: boolean }> {
  const states = await migrationStatus(db)
  const missing = states.filter(({ appliedAt }) => appliedAt === null)
  const schema = [checkSchema(states, missing.length)]
  const writable = missing.length === 0 ? [await checkStoring(db, clock)] : []
  const isSqlite = databaseUrl.startsWith('sqlite:')
  const health = isSqlite ? [await checkDamage(db)] : []
  const durable = isSqlite ? [await checkJournal(db)] : await checkPostgres(db)
  // SQLite can be read while it is locked; of PostgreSQL not every table can.
  const locked = isSqlite ? [] : writable.filter(({ found }) => found.includes('locked'))
  return {
    findings: [...schema, ...writable, ...durable, ...health],
    readable: [...schema, ...health, ...locked].every(({ status }) => status === 'ok'),
  }
}

function checkSchema(states: readonly MigrationState[], missing: number): Result {
  const fault = faultOfSchema(states)
  if (fault) return fail(fault, 'No service of this version starts on it.')
  if (missing > 0)
    return warn(`${missing} migrations are missing`, 'Start the service, or run keyturn migrate up.')
  return states.every(({ known }) => known)
    ? ok('has the tables of this version')
    : ok('has the tables of a newer version, which this one can serve as well')
}

/** Stores a row and takes it away. The service needs the right to write rows, but not to make tables. */
async function checkStoring(db: Db, clock: Clock): Promise<Result> {
  const fault = await tryToStore({ db, clock })
  if (!fault) return ok('takes writes')
  const { message } = fault.error as Error
  const blockers =
    fault.reason === 'locked'
      ? await adapterOf(db)
          .lockersOf(db)
          .catch(() => [])
      : []
  return fail(
    `stores nothing: ${fault.words} (${message})`,
    blockers.length > 0 ? blockers.join(' ') : fault.advice,
  )
}

async function checkJournal(db: Db): Promise<Result> {
  const journal = await pragma(db, 'journal_mode')
  // 2 is FULL: each commit is on the disk before it is answered.
  const durable = journal === 'wal' && Number(await pragma(db, 'synchronous')) >= 2
  return durable
    ? ok('SQLite in WAL mode with synchronous = FULL: what was answered survives a power cut')
    : fail(`SQLite with journal_mode = ${journal}`, 'WAL needs a local disk, not a network drive.')
}

async function checkDamage(db: Db): Promise<Result> {
  const health = await pragma(db, 'quick_check(1)').catch((error: Error) => error.message)
  return health === 'ok'
    ? ok('is not damaged')
    : fail(`is damaged: ${health}`, `Restore a backup. ${STRANGE_LOG}`)
}

async function pragma(db: Db, name: string): Promise<string> {
  const { rows } = await sql<Record<string, unknown>>`pragma ${sql.raw(name)}`.execute(db)
  return String(Object.values(rows[0] ?? {})[0])
}

async function checkPostgres(db: Db): Promise<Result[]> {
  const setting = async (name: string) => {
    const { rows } = await sql<{ value: string }>`select current_setting(${name}) as value`.execute(db)
    return rows[0]?.value ?? ''
  }
  const findings = [ok(`PostgreSQL ${await setting('server_version')}`)]
  if (await adapterOf(db).behindPooler())
    findings.push(ok('behind a pooler: durable commits and time-outs are set with each transaction'))
  // Without `synchronous_commit`, which the service sets itself.
  for (const name of ['fsync', 'full_page_writes'])
    if ((await setting(name)) === 'off')
      findings.push(
        fail(`${name} is off: after a crash a used code could be unused again`, `Set ${name} = on.`),
      )
  return findings
}

/** The clock of a database server. SQLite uses that of this machine. */
export async function databaseTime(db: Db, databaseUrl: string, clock: Clock): Promise<ForeignTime[]> {
  if (databaseUrl.startsWith('sqlite:')) return []
  const { rows } = await sql<{ now: number }>`
    select cast(extract(epoch from clock_timestamp()) * 1000 as double precision) as now`.execute(db)
  return [{ whose: 'the database', theirs: Number(rows[0]?.now), ours: clock.now() }]
}
