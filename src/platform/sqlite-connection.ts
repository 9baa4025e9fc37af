import { setTimeout as sleep } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import type { CompiledQuery, QueryResult } from 'kysely'

/** How long something waits for another process to finish its write before it gives up, in milliseconds. */
export const LOCK_PATIENCE_MS = 2_000

/** More than the texts that requests are made of; clean-up has some of every length beside them. */
const STATEMENTS_KEPT = 500

/**
 * A connection to a SQLite file. Statements are prepared once: preparing costs several times what most of them do.
 * SQLite itself prepares one anew when the schema has changed.
 */
export class SqliteConnection {
  readonly #sqlite: BetterSqlite3.Database
  readonly #kept = new Map<string, BetterSqlite3.Statement>()

  constructor(sqlite: BetterSqlite3.Database) {
    this.#sqlite = sqlite
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
    // A used code must stay used after a power cut: in WAL mode only FULL syncs each commit before it returns.
    await setJournalMode(sqlite)
    sqlite.pragma('synchronous = FULL')
    sqlite.pragma('foreign_keys = ON')
    sqlite.pragma('trusted_schema = OFF')
    return new SqliteConnection(sqlite)
  } catch (error) {
    sqlite.close()
    throw error
  }
}

/** One that sees what is committed, whatever the writer is doing. */
export function openReader(path: string): SqliteConnection {
  const sqlite = new BetterSqlite3(path, { timeout: 0, readonly: true })
  sqlite.pragma('trusted_schema = OFF')
  return new SqliteConnection(sqlite)
}

/** Switching to WAL needs the file alone for a moment; several processes may be starting at once. */
async function setJournalMode(sqlite: BetterSqlite3.Database): Promise<void> {
  await patiently(() => sqlite.pragma('journal_mode = WAL'))
}

/**
 * Does something again while another process holds the lock it needs. Waiting holds up neither the event loop, as
 * SQLite's own way of waiting would, nor the other requests of this process.
 *
 * @param deadline when to give up, by `performance.now()`: of the request, not of the work, so that those who wait
 * for one lock do not wait one after the other.
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
      // Of different length for everybody, so that processes do not meet at the lock again and again.
      await sleep(2 + Math.random() * 10)
    }
  }
}

export function isBusy(error: unknown): boolean {
  return error instanceof BetterSqlite3.SqliteError && error.code.startsWith('SQLITE_BUSY')
}
