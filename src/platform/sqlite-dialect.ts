import { setTimeout as sleep } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import {
  CompiledQuery,
  type DatabaseConnection,
  type DialectAdapter,
  type Driver,
  type QueryCompiler,
  type QueryResult,
  type SelectModifierNode,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  SqliteQueryCompiler,
} from 'kysely'
import type { StillAdapter } from './database.ts'

/** How long a request waits for another process to finish its write before it gives up, in milliseconds. */
const WRITE_LOCK_PATIENCE_MS = 2_000

/**
 * Kysely's SQLite dialect with four differences. A transaction takes the write lock when it begins: one that
 * read first and wrote later could find its snapshot outdated by another process, and fail half way. Migrations
 * run inside such a transaction, which makes them atomic and lets one process at a time migrate. What is selected
 * `for update` is simply selected: nobody else writes until the transaction ends. And waiting for
 * the lock of another process holds up neither the event loop, as SQLite's own way of waiting would, nor the
 * other requests of this one.
 */
export class DurableSqliteDialect extends SqliteDialect {
  readonly #path: string

  constructor(path: string) {
    super({ database: () => openFile(path) })
    this.#path = path
  }

  override createDriver(): Driver {
    return new PatientSqliteDriver(this.#path)
  }

  override createAdapter(): DialectAdapter {
    return new DurableSqliteAdapter()
  }

  override createQueryCompiler(): QueryCompiler {
    return new WholeFileLockCompiler()
  }
}

class WholeFileLockCompiler extends SqliteQueryCompiler {
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (node.modifier !== 'ForUpdate') super.visitSelectModifier(node)
  }
}

class DurableSqliteAdapter extends SqliteAdapter implements StillAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }

  /** The transaction has the lock of the file from its beginning. */
  async keepStill(): Promise<void> {}

  /** There is one, but the driver below hands it out by turns itself. */
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

class PatientSqliteDriver extends SqliteDriver {
  readonly #turns = makeTurns()
  readonly #sqlite: { opened?: BetterSqlite3.Database }

  constructor(path: string) {
    const sqlite: { opened?: BetterSqlite3.Database } = {}
    super({
      database: async () => {
        sqlite.opened = await openFile(path)
        return keepStatements(sqlite.opened)
      },
    })
    this.#sqlite = sqlite
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const deadline = performance.now() + WRITE_LOCK_PATIENCE_MS
    await this.#turns.take()
    const connection = await super.acquireConnection()
    return {
      executeQuery: (query) => this.#executeQuery(connection, query, deadline),
      streamQuery: (query, chunkSize) => connection.streamQuery(query, chunkSize),
    }
  }

  override async releaseConnection(): Promise<void> {
    this.#turns.pass()
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  /** A disk that is full or broken makes SQLite roll back by itself; what it said first is what must be told. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#sqlite.opened?.inTransaction) await super.rollbackTransaction(connection)
  }

  /** The deadline counts from the request, so that those who wait for one lock do not wait one after the other. */
  async #executeQuery<R>(
    connection: DatabaseConnection,
    query: CompiledQuery,
    deadline: number,
  ): Promise<QueryResult<R>> {
    for (;;) {
      try {
        return await connection.executeQuery<R>(query)
      } catch (error) {
        if (!isBusy(error) || this.#sqlite.opened?.inTransaction || performance.now() > deadline) throw error
        this.#turns.pass()
        await pause()
        await this.#turns.take()
      }
    }
  }
}

/** More than the texts that requests are made of; clean-up has some of every length beside them. */
const STATEMENTS_KEPT = 500

/**
 * Statements prepared once: preparing costs several times what most of them do. SQLite itself prepares one anew
 * when the schema has changed.
 */
function keepStatements(sqlite: BetterSqlite3.Database): SqliteDatabase {
  const kept = new Map<string, BetterSqlite3.Statement>()
  return {
    close: () => void sqlite.close(),
    prepare(text) {
      const known = kept.get(text)
      if (known) return known
      const statement = sqlite.prepare(text)
      const [oldest] = kept.keys()
      if (kept.size >= STATEMENTS_KEPT && oldest !== undefined) kept.delete(oldest)
      kept.set(text, statement)
      return statement
    },
  }
}

/** One at a time, in the order of asking. */
function makeTurns(): { take(): Promise<void>; pass(): void } {
  const waiting: (() => void)[] = []
  let taken = false
  return {
    async take() {
      if (taken) await new Promise<void>((resolve) => waiting.push(resolve))
      taken = true
    },
    pass() {
      const next = waiting.shift()
      // It stays taken when it is passed on: nobody comes in between.
      if (next) next()
      else taken = false
    },
  }
}

export function isBusy(error: unknown): boolean {
  return error instanceof BetterSqlite3.SqliteError && error.code.startsWith('SQLITE_BUSY')
}

/** Of different length for everybody, so that processes do not meet at the lock again and again. */
function pause(): Promise<void> {
  return sleep(2 + Math.random() * 10)
}

async function openFile(path: string): Promise<BetterSqlite3.Database> {
  const sqlite = new BetterSqlite3(path, { timeout: 0 })
  try {
    // A used code must stay used after a power cut: in WAL mode only FULL syncs each commit before it returns.
    await setJournalMode(sqlite)
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
async function setJournalMode(sqlite: BetterSqlite3.Database): Promise<void> {
  const deadline = performance.now() + WRITE_LOCK_PATIENCE_MS
  for (;;) {
    try {
      sqlite.pragma('journal_mode = WAL')
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error
      await pause()
    }
  }
}
