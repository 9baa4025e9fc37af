import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { sql } from 'kysely'
import { DatabaseError } from './database-errors.ts'
import type { Engine } from './engine.ts'
import { isBusy } from './sqlite-connection.ts'
import { DurableSqliteDialect } from './sqlite-dialect.ts'

/** The file behind a `sqlite:` URL, or `:memory:`. */
export function sqlitePath(databaseUrl: string): string {
  return databaseUrl.slice('sqlite:'.length)
}

export function sqliteEngine(databaseUrl: string): Engine {
  const path = sqlitePath(databaseUrl)
  const inFile = path !== ':memory:'
  return {
    dialect: new DurableSqliteDialect(path),
    async check(db) {
      if (inFile) makeRoom(path)
      await sql`select count(*) from sqlite_master`.execute(db)
      if (inFile) accessSync(path, constants.R_OK | constants.W_OK)
    },
    explain: (error) => explain(path, error),
    isInUse: async () => inFile && existsSync(path) && isOpenElsewhere(path),
  }
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
    throw new DatabaseError(explain(path, error), { cause: error })
  } finally {
    sqlite.close()
  }
}

function explain(path: string, error: unknown): string {
  const code = (error as { code?: string }).code ?? ''
  if (code === 'SQLITE_NOTADB') return `The file ${path} is not a SQLite database.`
  if (code.startsWith('SQLITE_CORRUPT')) return `The SQLite database ${path} is damaged.`
  if (code === 'SQLITE_READONLY' || code === 'EACCES' || code === 'EROFS' || code === 'SQLITE_CANTOPEN')
    return `The database ${path} cannot be opened for writing. Check the path and its permissions.`
  if (code.startsWith('SQLITE_BUSY')) return `The database ${path} is locked by another program.`
  return `The database ${path} cannot be opened: ${(error as Error).message}`
}
