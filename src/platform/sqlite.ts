import { accessSync, constants, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { sql } from 'kysely'
import type { Engine } from './database.ts'
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
      if (inFile) mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      await sql`select count(*) from sqlite_master`.execute(db)
      if (inFile) accessSync(path, constants.R_OK | constants.W_OK)
    },
    explain: (error) => explain(path, error),
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
