import {
  type BigIntStats,
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import { rfc3339, systemClock } from './clock.ts'
import { DatabaseError } from './database-errors.ts'
import { explainSqlite } from './sqlite-faults.ts'

/** The file behind a `sqlite:` URL, or `:memory:`. */
export function sqlitePath(databaseUrl: string): string {
  return databaseUrl.slice('sqlite:'.length)
}

/** The file that keeps the key of a SQLite database without `SECRET_KEY`. */
export function keyFilePath(databaseUrl: string): string {
  return `${sqlitePath(databaseUrl).replace(/\.(db|sqlite3?)$/, '')}.key`
}

/**
 * The file that keeps the key of a database, if it is kept in a file.
 *
 * @throws {DatabaseError} as {@link statOf}.
 */
export function keyFileOf(databaseUrl: string): string | null {
  if (!databaseUrl.startsWith('sqlite:')) return null
  const path = keyFilePath(databaseUrl)
  return isThere(path, sqlitePath(databaseUrl)) ? path : null
}

/**
 * What is at a path, `undefined` where nothing is.
 *
 * @param database which one is meant, where that is another path.
 * @throws {DatabaseError} when this user may not look there: what cannot be seen is not to be taken for missing.
 */
export function statOf(path: string, database = path): BigIntStats | undefined {
  return explained(database, () => statSync(path, { bigint: true, throwIfNoEntry: false }))
}

/** Whether there is something at a path. @throws {DatabaseError} as {@link statOf}. */
export const isThere = (path: string, database = path) => statOf(path, database) !== undefined

/** @throws {DatabaseError} what the system says, as a sentence. */
export function explained<T>(database: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new DatabaseError(explainSqlite(database, error), { cause: error })
  }
}

/** Makes the folder of a new database, for its owner alone. @throws {DatabaseError} */
export function makeFolder(path: string): void {
  explained(path, () => mkdirSync(dirname(path), { recursive: true, mode: 0o700 }))
}

/** Where SQLite has its files: next to what a link leads to, also when that is gone. @throws {DatabaseError} */
export function behindLinks(path: string): string {
  return explained(path, () => {
    const leadsTo = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() && readlinkSync(path)
    return leadsTo ? behindLinks(resolve(realpathSync(dirname(path)), leadsTo)) : path
  })
}

/** What SQLite would write into a new database of the same name, or delete. */
export const LOGS = ['-wal', '-journal'] as const

/**
 * Moves files of a database out of the way of another one. A log goes with its own database: under the same new name both
 * are whole again.
 *
 * @param suffixes which ones; the empty one is the database itself.
 * @returns the new name of the database, and which files were there.
 * @throws {DatabaseError}
 */
export function setAside(path: string, suffixes: readonly string[]): { aside: string; moved: string[] } {
  const aside = `${path}.replaced-${rfc3339(systemClock.now()).replaceAll(/[:.]/g, '')}`
  const moved = suffixes.filter((suffix) => isThere(`${path}${suffix}`))
  explained(path, () => {
    for (const suffix of moved) renameSync(`${path}${suffix}`, `${aside}${suffix}`)
    // The index of a log, which is made again.
    rmSync(`${path}-shm`, { force: true })
  })
  return { aside, moved }
}
