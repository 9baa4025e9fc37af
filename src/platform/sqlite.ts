import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import { sql } from 'kysely'
import { DatabaseError } from './database-errors.ts'
import type { Db, Engine } from './engine.ts'
import { isBusy, LOCK_PATIENCE_MS } from './sqlite-connection.ts'
import { durableSqlite } from './sqlite-dialect.ts'

/** The file behind a `sqlite:` URL, or `:memory:`. */
export function sqlitePath(databaseUrl: string): string {
  return databaseUrl.slice('sqlite:'.length)
}

/** The file that keeps the key of a SQLite database without `SECRET_KEY`. */
export function keyFilePath(databaseUrl: string): string {
  return `${sqlitePath(databaseUrl).replace(/\.(db|sqlite3?)$/, '')}.key`
}

/** @param mayMake whether a new database may be made where there has been one. */
export function sqliteEngine(databaseUrl: string, { mayMake }: { mayMake: boolean }): Engine {
  const path = sqlitePath(databaseUrl)
  const inFile = path !== ':memory:'
  let hadLog = false
  return {
    dialect: durableSqlite(path),
    async check(db) {
      if (!inFile) return
      if (!mayMake) refuseLost(databaseUrl)
      makeRoom(path)
      const wasEmpty = sizeOf(path) === 0
      // Of a process that runs or was killed: the last one to close a database removes it.
      hadLog = existsSync(`${path}-wal`)
      let ours = await hasTables(db)
      accessSync(path, constants.R_OK | constants.W_OK)
      if (wasEmpty || hadLog || mayMake) return
      // Another process may be about to make them.
      for (let waits = 0; !ours && waits < 20; waits++) {
        await sleep(LOCK_PATIENCE_MS / 20)
        ours = await hasTables(db)
      }
      if (ours) return
      throw new DatabaseError(
        `The database ${path} has no tables. A file that was copied while a service ran is like that: what it held is in the file -wal that was next to it. Restore a backup; if a new one is meant to be made, remove the file first.`,
      )
    },
    explain: (error) => explainSqlite(path, error, { hadLog }),
    isInUse: async () => inFile && existsSync(path) && isOpenElsewhere(path),
  }
}

async function hasTables(db: Db): Promise<boolean> {
  const { rows } = await sql`select name from sqlite_master limit 1`.execute(db)
  return rows.length > 0
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size
}

/** @throws {DatabaseError} when files next to it show that there was a database where there is none now. */
export function refuseLost(databaseUrl: string): void {
  const path = sqlitePath(databaseUrl)
  if (sizeOf(path) || !existsSync(dirname(path))) return
  const [name, key] = [path, keyFilePath(databaseUrl)].map((each) => basename(each))
  const left = readdirSync(dirname(path)).find(
    (other) => other === key || other === `${name}-wal` || other.startsWith(`${name}.`),
  )
  // Another process may have made it meanwhile.
  if (left === undefined || sizeOf(path)) return
  throw new DatabaseError(
    `There was a database ${path}, and it is gone: ${left} is still there. Put the database back, or restore a backup; if a new one is meant to be made: keyturn migrate up --new.`,
  )
}

/** Leaves a file next to a database that serves, so that no new one is made when it is gone. */
export function markMade(databaseUrl: string): void {
  if (!databaseUrl.startsWith('sqlite:') || databaseUrl === 'sqlite::memory:') return
  const mark = `${sqlitePath(databaseUrl)}.made`
  const words = 'While this file is here, Keyturn makes no new database here unless it is told to.\n'
  if (!existsSync(mark)) writeFileSync(mark, words, { mode: 0o600 })
}

/** A new file can be read only by its owner, whatever folder it is in. SQLite gives its other files the same mode. */
function makeRoom(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
}

/** A process that has a file in WAL mode open keeps others from locking it exclusively. */
function isOpenElsewhere(path: string): boolean {
  const sqlite = new BetterSqlite3(path, { timeout: 0 })
  try {
    sqlite.pragma('locking_mode = exclusive')
    sqlite.prepare('select count(*) from sqlite_master').get()
    return false
  } catch (error) {
    if (isBusy(error)) return true
    throw new DatabaseError(explainSqlite(path, error), { cause: error })
  } finally {
    sqlite.close()
  }
}

/**
 * What is wrong with a file, as a sentence.
 *
 * @param hadLog whether there was a write-ahead log before it was opened.
 */
export function explainSqlite(path: string, error: unknown, { hadLog = false } = {}): string {
  if (error instanceof DatabaseError) return error.message
  const code = (error as { code?: string }).code ?? ''
  if (code === 'SQLITE_NOTADB') return `The file ${path} is not a SQLite database.`
  if (code.startsWith('SQLITE_CORRUPT'))
    return `The SQLite database ${path} is damaged.${hadLog ? ` ${STRANGE_LOG}` : ''}`
  if (code === 'SQLITE_READONLY' || code === 'EACCES' || code === 'EROFS' || code === 'SQLITE_CANTOPEN')
    return `The database ${path} cannot be opened for writing. Check the path and its permissions.`
  if (code.startsWith('SQLITE_BUSY')) return `The database ${path} is locked by another program.`
  return `The database ${path} cannot be opened: ${(error as Error).message}`
}

/** For a damaged one that has a write-ahead log. */
export const STRANGE_LOG =
  'If it was copied there by hand, the write-ahead log (-wal) is that of the previous database and does not fit: use keyturn restore, which takes it away.'
