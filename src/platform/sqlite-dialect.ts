import { setTimeout as sleep } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import {
  CompiledQuery,
  type DatabaseConnection,
  type DialectAdapter,
  type Driver,
  SqliteAdapter,
  SqliteDialect,
  SqliteDriver,
} from 'kysely'

/** How long a transaction waits for another process to finish its own before it gives up, in milliseconds. */
const WRITE_LOCK_PATIENCE_MS = 2_000

/**
 * better-sqlite3 blocks the event loop while SQLite waits for a lock, so SQLite itself waits briefly and the
 * driver below goes on waiting between turns of the event loop.
 */
const BUSY_TIMEOUT_MS = 50

/**
 * Kysely's SQLite dialect with two differences. A transaction takes the write lock when it begins: one that
 * read first and wrote later could find its snapshot outdated by another process, and fail half way. And
 * migrations run inside such a transaction, which makes them atomic and lets one process at a time migrate.
 */
export class DurableSqliteDialect extends SqliteDialect {
  readonly #path: string

  constructor(path: string) {
    super({ database: async () => openFile(path) })
    this.#path = path
  }

  override createDriver(): Driver {
    return new ImmediateSqliteDriver({ database: async () => openFile(this.#path) })
  }

  override createAdapter(): DialectAdapter {
    return new TransactionalDdlAdapter()
  }
}

class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class ImmediateSqliteDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    const deadline = performance.now() + WRITE_LOCK_PATIENCE_MS
    for (;;) {
      try {
        await connection.executeQuery(CompiledQuery.raw('begin immediate'))
        return
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw error
        await sleep(1 + Math.random() * 10)
      }
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof BetterSqlite3.SqliteError && error.code.startsWith('SQLITE_BUSY')
}

function openFile(path: string): BetterSqlite3.Database {
  const sqlite = new BetterSqlite3(path, { timeout: BUSY_TIMEOUT_MS })
  try {
    // A used code must stay used after a power cut: in WAL mode only FULL syncs each commit before it returns.
    setJournalMode(sqlite)
    sqlite.pragma('synchronous = FULL')
    sqlite.pragma('foreign_keys = ON')
    sqlite.pragma('trusted_schema = OFF')
    return sqlite
  } catch (error) {
    sqlite.close()
    throw error
  }
}

/** Switching to WAL needs the file alone for a moment; several processes may be starting at once. */
function setJournalMode(sqlite: BetterSqlite3.Database): void {
  const deadline = performance.now() + WRITE_LOCK_PATIENCE_MS
  for (;;) {
    try {
      sqlite.pragma('journal_mode = WAL')
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error
    }
  }
}
