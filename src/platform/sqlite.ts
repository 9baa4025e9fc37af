import { accessSync, closeSync, constants, openSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import { sql } from 'kysely'
import { DatabaseError } from './database-errors.ts'
import type { Db, Engine } from './engine.ts'
import { isBusy, LOCK_PATIENCE_MS } from './sqlite-connection.ts'
import { durableSqlite } from './sqlite-dialect.ts'
import { explainSqlite } from './sqlite-faults.ts'
import {
  behindLinks,
  explained,
  isThere,
  keyFilePath,
  LOGS,
  makeFolder,
  setAside,
  sqlitePath,
  statOf,
} from './sqlite-files.ts'

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
      const wasEmpty = statOf(path)?.size === 0n
      // Of a process that runs or was killed: the last one to close a database removes it.
      hadLog = isThere(`${path}-wal`)
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
    isInUse: async () => inFile && isThere(path) && isOpenElsewhere(path),
  }
}

async function hasTables(db: Db): Promise<boolean> {
  const { rows } = await sql`select name from sqlite_master limit 1`.execute(db)
  return rows.length > 0
}

/** @throws {DatabaseError} when files next to it show that there was a database where there is none now. */
export function refuseLost(databaseUrl: string): void {
  const path = sqlitePath(databaseUrl)
  if (statOf(path)?.size || !isThere(dirname(path))) return
  const [name, key] = [path, keyFilePath(databaseUrl)].map((each) => basename(each))
  // Not a -journal: a process that makes the database at this moment has one.
  const log = `${behindLinks(path)}-wal`
  const shown = log === `${path}-wal` ? basename(log) : log
  const left = isThere(log, path)
    ? shown
    : readdirSync(dirname(path)).find((other) => other === key || other.startsWith(`${name}.`))
  // Another process may have made it meanwhile.
  if (left === undefined || statOf(path)?.size) return
  throw new DatabaseError(
    `There was a database ${path}, and it is gone: ${left} is still there. Put the database back, or restore a backup; if a new one is meant to be made: keyturn migrate up --new.`,
  )
}

/**
 * Keeps the logs of a database that is gone, before a new one is made in its place: they have its latest writes, or all of
 * them.
 *
 * @returns their new names, and that of the database which would go with them; `null` where nothing was left.
 * @throws {DatabaseError}
 */
export function keepLogsOfLost(databaseUrl: string): { aside: string; files: string[] } | null {
  if (!databaseUrl.startsWith('sqlite:') || statOf(sqlitePath(databaseUrl))?.size) return null
  const { aside, moved } = setAside(behindLinks(sqlitePath(databaseUrl)), LOGS)
  return moved.length > 0 ? { aside, files: moved.map((suffix) => `${aside}${suffix}`) } : null
}

/** Leaves a file next to a database that serves, so that no new one is made when it is gone. */
export function markMade(databaseUrl: string): void {
  if (!databaseUrl.startsWith('sqlite:') || databaseUrl === 'sqlite::memory:') return
  const mark = `${sqlitePath(databaseUrl)}.made`
  const words = 'While this file is here, Keyturn makes no new database here unless it is told to.\n'
  if (!isThere(mark)) explained(sqlitePath(databaseUrl), () => writeFileSync(mark, words, { mode: 0o600 }))
}

/** A new file can be read only by its owner, whatever folder it is in. SQLite gives its other files the same mode. */
function makeRoom(path: string): void {
  makeFolder(path)
  if (!isThere(path)) closeSync(openSync(path, 'a', 0o600))
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
