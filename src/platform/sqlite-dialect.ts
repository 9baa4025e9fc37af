import {
  type CompiledQuery,
  type DatabaseConnection,
  type DialectAdapter,
  type Driver,
  type QueryCompiler,
  type QueryResult,
  type SelectModifierNode,
  SelectQueryNode,
  SqliteAdapter,
  SqliteDialect,
  SqliteQueryCompiler,
} from 'kysely'
import type { StillAdapter } from './engine.ts'
import {
  LOCK_PATIENCE_MS,
  openReader,
  openWriter,
  patiently,
  type SqliteConnection,
} from './sqlite-connection.ts'
import { SqliteGroups } from './sqlite-groups.ts'

/**
 * Kysely's SQLite dialect with a driver of its own. One connection writes, by turns; another one reads what is
 * committed, at any time. Migrations run in a transaction that has the write lock from its beginning, which makes
 * them atomic and lets one process at a time migrate. What is selected `for update` is simply selected: nobody
 * else writes until the transaction ends.
 */
export class DurableSqliteDialect extends SqliteDialect {
  readonly #path: string

  constructor(path: string) {
    super({ database: () => Promise.reject(new Error('the driver opens it')) })
    this.#path = path
  }

  override createDriver(): Driver {
    return new DurableSqliteDriver(this.#path)
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

  override get supportsMultipleConnections(): boolean {
    return true
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
