import { accessSync, constants, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Kysely, sql, type Transaction } from 'kysely'
import { DurableSqliteDialect } from './sqlite-dialect.ts'
import type { Tables } from './tables.ts'

export type Db = Kysely<Tables>
/** What a store function that must not run outside a transaction asks for. */
export type Trx = Transaction<Tables>

/** The database could not be opened; the message is a sentence for the operator. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
}

/** The file behind a `sqlite:` URL, or `:memory:`. */
export function sqlitePath(databaseUrl: string): string {
  return databaseUrl.slice('sqlite:'.length)
}

/**
 * Opens the database that `DATABASE_URL` names; the only place that knows the dialect.
 *
 * @throws {DatabaseError} when the file is not a database or cannot be read and written.
 */
export async function openDatabase(databaseUrl: string): Promise<Db> {
  const path = sqlitePath(databaseUrl)
  const db = new Kysely<Tables>({ dialect: new DurableSqliteDialect(path) })
  try {
    if (path !== ':memory:') prepareFolder(path)
    await sql`select count(*) from sqlite_master`.execute(db)
    if (path !== ':memory:') accessSync(path, constants.R_OK | constants.W_OK)
    return db
  } catch (error) {
    await db.destroy().catch(() => {})
    throw new DatabaseError(explainOpenFailure(path, error), { cause: error })
  }
}

function prepareFolder(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
}

function explainOpenFailure(path: string, error: unknown): string {
  const code = (error as { code?: string }).code ?? ''
  if (code === 'SQLITE_NOTADB') return `The file ${path} is not a SQLite database.`
  if (code.startsWith('SQLITE_CORRUPT')) return `The SQLite database ${path} is damaged.`
  if (code === 'SQLITE_READONLY' || code === 'EACCES' || code === 'EROFS' || code === 'SQLITE_CANTOPEN')
    return `The database ${path} cannot be opened for writing. Check the path and its permissions.`
  if (code.startsWith('SQLITE_BUSY')) return `The database ${path} is locked by another program.`
  return `The database ${path} cannot be opened: ${(error as Error).message}`
}

/** Rejects when the database does not answer. */
export async function pingDatabase(db: Db): Promise<void> {
  await sql`select 1`.execute(db)
}
