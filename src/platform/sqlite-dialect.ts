import { setImmediate as turn } from 'node:timers/promises'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  type SelectModifierNode,
  SelectQueryNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely'
import type { Db, EngineAdapter } from './engine.ts'
import {
  LOCK_PATIENCE_MS,
  openReader,
  openWriter,
  patiently,
  type SqliteConnection,
} from './sqlite-connection.ts'
import { SqliteGroups } from './sqlite-groups.ts'

/**
 * SQLite for Kysely with a driver of its own. One connection writes, by turns; another one reads what is
 * committed, at any time. Migrations run in a transaction that has the write lock from its beginning, which makes
 * them atomic and lets one process at a time migrate. What is selected `for update` is simply selected: nobody
 * else writes until the transaction ends.
 */
export const durableSqlite = (path: string): Dialect => ({
  createDriver: () => new DurableSqliteDriver(path),
  createAdapter: () => new DurableSqliteAdapter(),
  createIntrospector: (db) => new SqliteIntrospector(db),
  createQueryCompiler: () => new WholeFileLockCompiler(),
})

class WholeFileLockCompiler extends SqliteQueryCompiler {
  protected override visitSelectModifier(node: SelectModifierNode): void {
    if (node.modifier !== 'ForUpdate' && node.modifier !== 'SkipLocked') super.visitSelectModifier(node)
  }
}

/** Rows to count in one statement. That takes some milliseconds, and requests run in between. */
const COUNTED_AT_ONCE = 10_000

class DurableSqliteAdapter extends SqliteAdapter implements EngineAdapter {
  readonly hasRoundTrips = false

  override get supportsTransactionalDdl(): boolean {
    return true
  }

  override get supportsMultipleConnections(): boolean {
    return true
  }

  /** The transaction has the lock of the file from its beginning. */
  async keepStill(): Promise<void> {}
  async waitForTables(): Promise<void> {}
  lockersOf = async (): Promise<string[]> => []
  connections(): undefined {}
  behindPooler = async (): Promise<boolean> => false

  /** In the file itself it is overwritten; the write-ahead log has it until it is emptied. */
  async wipeDeleted(db: Db): Promise<void> {
    await sql`pragma wal_checkpoint(truncate)`.execute(db)
  }

  async sortInFiles(db: Db, inFiles: boolean): Promise<void> {
    await (inFiles ? sql`pragma temp_store = file` : sql`pragma temp_store = memory`).execute(db)
  }

  async countRows(db: Db, tables: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = new Map<string, number>()
    for (const table of tables) {
      let [count, last] = [COUNTED_AT_ONCE, Number.MIN_SAFE_INTEGER]
      while (count === COUNTED_AT_ONCE) {
        const found = await sql<{ count: number; last: number | null }>`
          select count(*) as count, max(rowid) as last
          from (select rowid from ${sql.table(table)} where rowid > ${last} order by rowid limit ${COUNTED_AT_ONCE})`.execute(
          db,
        )
        count = found.rows[0]?.count ?? 0
        last = found.rows[0]?.last ?? last
        rows.set(table, (rows.get(table) ?? 0) + count)
        await turn()
      }
    }
    return rows
  }
}

/** What somebody asks, from the first statement to the last. */
class Use implements DatabaseConnection {
  readonly deadline = performance.now() + LOCK_PATIENCE_MS
  readonly #run: (query: CompiledQuery, use: Use) => Promise<QueryResult<unknown>>
  inTransaction = false

  constructor(run: (query: CompiledQuery, use: Use) => Promise<QueryResult<unknown>>) {
    this.#run = run
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.#run(query, this) as Promise<QueryResult<R>>
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query)
  }
}

class DurableSqliteDriver implements Driver {
  readonly #path: string
  #writer!: SqliteConnection
  #reader!: SqliteConnection
  #groups!: SqliteGroups

  constructor(path: string) {
    this.#path = path
  }

  async init(): Promise<void> {
    this.#writer = await openWriter(this.#path)
    // What is in memory is there for one connection alone.
    this.#reader = this.#path === ':memory:' ? this.#writer : openReader(this.#path)
    this.#groups = new SqliteGroups(this.#writer)
  }

  async acquireConnection(): Promise<Use> {
    return new Use((query, use) => this.#run(query, use))
  }

  async #run(query: CompiledQuery, { inTransaction, deadline }: Use): Promise<QueryResult<unknown>> {
    if (inTransaction) return this.#groups.run(query)
    if (SelectQueryNode.is(query.query) && this.#reader !== this.#writer)
      return patiently(() => this.#reader.run(query), deadline)
    return this.#groups.runAlone(query, deadline)
  }

  async beginTransaction(use: Use): Promise<void> {
    await this.#groups.begin(use.deadline)
    use.inTransaction = true
  }

  async commitTransaction(use: Use): Promise<void> {
    const stored = this.#groups.commit()
    use.inTransaction = false
    await stored
  }

  async rollbackTransaction(use: Use): Promise<void> {
    if (!use.inTransaction) return
    use.inTransaction = false
    this.#groups.rollback()
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    await this.#groups?.close()
    if (this.#reader !== this.#writer) this.#reader?.close()
    this.#writer?.close()
  }
}
