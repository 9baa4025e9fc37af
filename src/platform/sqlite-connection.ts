import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import type { CompiledQuery, QueryResult } from 'kysely'

/** How long a write waits for that of another process before it gives up, in milliseconds. */
export const LOCK_PATIENCE_MS = 2_000

/** More than the statements of all requests. Clean-up has one for each size of batch as well. */
const STATEMENTS_KEPT = 500

/**
 * A connection to a SQLite file. Statements are prepared once, because preparing costs several times what most of
 * them do. SQLite itself prepares a statement again when the schema has changed.
 */
export class SqliteConnection {
  readonly #sqlite: BetterSqlite3.Database
  readonly #kept = new Map<string, BetterSqlite3.Statement>()

  readonly #files: readonly string[]
  readonly #inodes = new Map<string, string>()

  constructor(sqlite: BetterSqlite3.Database) {
    this.#sqlite = sqlite
    this.#files = sqlite.memory ? [] : [sqlite.name, `${sqlite.name}-wal`]
  }

  /**
   * What is written into a file that was deleted or replaced is lost with this process. SQLite looks for that only
   * without a write-ahead log. What is there at the first call counts.
   *
   * @throws {SqliteError} SQLITE_READONLY_DBMOVED, as SQLite does.
   */
  requireInPlace(): void {
    for (const file of this.#files) {
      const stat = statSync(file, { throwIfNoEntry: false })
      const inode = stat && `${stat.dev} ${stat.ino}`
      const known = this.#inodes.get(file) ?? inode
      if (known !== inode)
        throw new BetterSqlite3.SqliteError(`${file} was deleted or replaced`, 'SQLITE_READONLY_DBMOVED')
      if (known) this.#inodes.set(file, known)
    }
  }

  get inTransaction(): boolean {
    return this.#sqlite.inTransaction
  }

  /** @throws {SqliteError} */
  run<R>({ sql, parameters }: Pick<CompiledQuery, 'sql' | 'parameters'>): QueryResult<R> {
    const statement = this.#prepare(sql)
    if (statement.reader) return { rows: statement.all(parameters) as R[] }
    const { changes, lastInsertRowid } = statement.run(parameters)
    return { insertId: BigInt(lastInsertRowid), numAffectedRows: BigInt(changes), rows: [] }
  }

  close(): void {
    this.#sqlite.close()
  }

  #prepare(sql: string): BetterSqlite3.Statement {
    const known = this.#kept.get(sql)
    if (known) return known
    const statement = this.#sqlite.prepare(sql)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= STATEMENTS_KEPT && oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(sql, statement)
    return statement
  }
}

/** The connection that writes. */
export async function openWriter(path: string): Promise<SqliteConnection> {
  const sqlite = new BetterSqlite3(path, { timeout: 0 })
  try {
    // Switching to WAL needs the file exclusively for a moment, and several processes may start at once.
    await patiently(() => {
      sqlite.pragma('journal_mode = WAL')
      // The log is made by the first statement, and tells other processes that the file is open.
      sqlite.pragma('schema_version')
    })
    // A used code must stay used after a power cut. In WAL mode only FULL syncs each commit before it returns.
    sqlite.pragma('synchronous = FULL')
    sqlite.pragma('foreign_keys = ON')
    sqlite.pragma('trusted_schema = OFF')
    // What was deleted is overwritten: a deleted account is not to be read from the free space of the file.
    sqlite.pragma('secure_delete = ON')
    // What a savepoint may have to undo, above 64 KB: in a file it is as much to write as the transaction itself.
    sqlite.pragma('temp_store = MEMORY')
    const writer = new SqliteConnection(sqlite)
    writer.requireInPlace()
    return writer
  } catch (error) {
    sqlite.close()
    throw error
  }
}

/** Opens a connection that sees what is committed, whatever the writer is doing. */
export function openReader(path: string): SqliteConnection {
  const sqlite = new BetterSqlite3(path, { timeout: 0, readonly: true })
  sqlite.pragma('trusted_schema = OFF')
  return new SqliteConnection(sqlite)
}

/**
 * Tries again while another process holds the lock. The wait blocks neither the event loop, as SQLite's own way of
 * waiting would, nor other requests of this process.
 *
 * @param deadline when to give up, by `performance.now()`. It belongs to the request and not to this work, so that
 * requests for one lock do not wait one after the other.
 */
export async function patiently<T>(
  work: () => T | Promise<T>,
  deadline = performance.now() + LOCK_PATIENCE_MS,
): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error
      // The pause varies, so that processes do not meet at the lock again and again.
      await sleep(2 + Math.random() * 10)
    }
  }
}

export function isBusy(error: unknown): boolean {
  return error instanceof BetterSqlite3.SqliteError && error.code.startsWith('SQLITE_BUSY')
}
