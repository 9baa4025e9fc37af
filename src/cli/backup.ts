import {
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import BetterSqlite3, { type Database as Sqlite } from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { countAccounts } from '../accounts/list-accounts.ts'
import { latestEventAt } from '../audit/list-events.ts'
import type { Config } from '../config.ts'
import { explainFailure } from '../explain-failure.ts'
import { inBatches } from '../platform/batches.ts'
import { systemClock } from '../platform/clock.ts'
import { type Db, openDatabase } from '../platform/database.ts'
import { migrateUp } from '../platform/migrate.ts'
import { explainSqlite } from '../platform/sqlite-faults.ts'
import { isThere, LOGS, makeFolder, setAside, sqlitePath, statOf } from '../platform/sqlite-files.ts'
import { endSomeSessions } from '../tokens/many-sessions.ts'
import { requireRootKeys } from '../tokens/root-keys.ts'
import { recordOperation } from './operator.ts'
import { requireUnused } from './surroundings.ts'
import { CommandFailed, openPrivateFile } from './terminal.ts'

/** What a whole database holds. */
export interface Whole {
  accounts: number
  /** When the last event was recorded, in epoch milliseconds; 0 where there is none. */
  until: number
}

/**
 * Copies what is committed now into a new file that only its owner can read, checks the copy, and leaves it on the disk.
 * Others may write to the original meanwhile. The free space of its file, and what was deleted there, stays behind.
 *
 * @param original where it comes from, for people.
 * @throws {CommandFailed} when the original is not a whole database of Keyturn. The copy is left as it is.
 */
async function copyWhole(original: string, copy: string): Promise<Whole> {
  await (await openPrivateFile(copy)).close()
  try {
    await reading(original, async (sqlite) => sqlite.prepare('vacuum into ?').run(copy))
    return await reading(copy, async (sqlite) => {
      requireWhole(original, sqlite)
      syncToDisk(copy)
      const db: Db = new Kysely({ dialect: new SqliteDialect({ database: sqlite }) })
      return { accounts: await countAccounts(db), until: await latestEventAt(db) }
    })
  } catch (error) {
    if (error instanceof CommandFailed) throw error
    if ((error as { code?: string }).code === 'SQLITE_FULL')
      throw new CommandFailed(`The copy of ${original} does not fit into ${dirname(copy)}: its disk is full.`)
    throw new CommandFailed(explainSqlite(original, error))
  }
}

async function reading<T>(path: string, work: (sqlite: Sqlite) => Promise<T>): Promise<T> {
  const sqlite = new BetterSqlite3(path, { readonly: true, fileMustExist: true })
  try {
    return await work(sqlite)
  } finally {
    sqlite.close()
  }
}

function requireWhole(original: string, sqlite: Sqlite): void {
  const health = sqlite.pragma('quick_check(1)', { simple: true })
  if (health !== 'ok') throw new CommandFailed(`${original} is damaged: ${health}.`)
  if ((sqlite.pragma('foreign_key_check') as unknown[]).length > 0)
    throw new CommandFailed(`${original} is damaged: it has rows that point to nowhere.`)
  const tables = sqlite.prepare('select name from sqlite_master').pluck().all()
  for (const table of ['accounts', 'sessions', 'audit_events'])
    if (!tables.includes(table))
      throw new CommandFailed(
        `${original} is no whole database of Keyturn: it has no table ${table}. A file that was copied while a service ran lacks what was in the file -wal next to it.`,
      )
}

/** A file and its name in its folder: a rename that follows never shows half of it. */
function syncToDisk(path: string): void {
  for (const each of [path, dirname(path)]) {
    const open = openSync(each, 'r')
    try {
      fsyncSync(open)
    } finally {
      closeSync(open)
    }
  }
}

/**
 * Writes a checked copy of a SQLite database, which a service may be using. The file appears whole or not at all.
 *
 * @param overwrite whether a file of that name gives way.
 * @throws {CommandFailed} when the file is there already, or is a database in use; when the database is not whole.
 */
export async function backUp(
  databaseUrl: string,
  file: string,
  { overwrite }: { overwrite: boolean },
): Promise<Whole & { bytes: number }> {
  const path = sqlitePath(databaseUrl)
  if (isSame(file, path) || isThere(`${file}-wal`, file))
    throw new CommandFailed(`${file} is a database in use. Name another file.`)
  if (file === '' || statOf(file)?.isFile() === false)
    throw new CommandFailed(`"${file}" is no file. Name one.`)
  if (isThere(file) && !overwrite)
    throw new CommandFailed(`The file ${file} is there already. Name another one, or say --overwrite.`)
  const draft = `${file}.${crypto.randomUUID()}`
  try {
    const whole = await copyWhole(path, draft)
    renameSync(draft, file)
    syncToDisk(file)
    return { ...whole, bytes: statSync(file).size }
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Whether two names mean one file. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statOf(path))
  return a !== undefined && a.dev === b?.dev && a.ino === b.ino
}

/**
 * Puts a backup into the place of the configured SQLite database, brought up to this version and with every session
 * ended. All of that is done to a copy in the same folder; only then it takes the place, at once and whole.
 *
 * @returns what the backup holds; how many sessions of the past were ended; where the database of before is now, `null` where
 * there was none; and why the service will not start on this one, `null` when `SECRET_KEY` opens it.
 * @param agree asked with what the backup holds, before anything is replaced. @throws to leave all as it is.
 * @throws {CommandFailed} when a service uses the database, or the backup is not whole.
 * @throws {DatabaseError} when the backup is of a newer version.
 */
export async function restore(config: Config, file: string, agree: (whole: Whole) => Promise<void>) {
  const named = sqlitePath(config.databaseUrl)
  // What a link leads to is replaced, on its own disk, and not the link.
  const path = isThere(named) ? realpathSync(named) : named
  if (!isThere(file)) throw new CommandFailed(`There is no file ${file}.`)
  if (isSame(file, path)) throw new CommandFailed(`${file} is the database itself.`)
  await requireUnused(config.databaseUrl)
  makeFolder(path)
  const draft = `${path}.${crypto.randomUUID()}`
  try {
    const whole = await copyWhole(file, draft)
    await agree(whole)
    const made = await makeReady(config, draft)
    // Closing writes the log into the file; where that fails, SQLite says nothing and leaves the log.
    if (isThere(`${draft}-wal`))
      throw new CommandFailed(
        `The copy of ${file} could not be completed in ${dirname(path)}: is its disk full?`,
      )
    await requireUnused(config.databaseUrl)
    const replaced = putInPlace(draft, path)
    return { ...whole, ...made, replaced }
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${draft}${suffix}`, { force: true })
  }
}

async function makeReady(config: Config, draft: string) {
  const db = await openDatabase(`sqlite:${draft}`)
  try {
    await migrateUp(db)
    const sessions = await inBatches(() => endSomeSessions(db, systemClock.now(), Number.MAX_SAFE_INTEGER))
    await recordOperation(db, 'database_restored')
    const fault = await requireRootKeys(config, db).catch((error) => explainFailure(error) ?? String(error))
    return { sessions, keyFault: fault ?? null }
  } finally {
    await db.destroy()
  }
}

/** @returns the new name of the one that was there. */
function putInPlace(draft: string, path: string): string | null {
  const { uid, gid } = statSync(isThere(path) ? path : dirname(path))
  // Who restores as root must not keep the service out.
  if (process.getuid?.() === 0) chownSync(draft, uid, gid)
  syncToDisk(draft)
  const { aside, moved } = setAside(path, ['', ...LOGS])
  renameSync(draft, path)
  syncToDisk(path)
  return moved.includes('') ? aside : null
}
