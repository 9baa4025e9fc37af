import type { Dialect, DialectAdapter, Kysely, Transaction } from 'kysely'
import type { Tables } from './tables.ts'

export type Db = Kysely<Tables>
/** Required by functions that must not run outside of a transaction. */
export type Trx = Transaction<Tables>

/** Everything that differs between databases. */
export interface Engine {
  dialect: Dialect
  /** Rejects when the database cannot be used. */
  check(db: Db): Promise<void>
  /** Why it cannot be used, in a sentence. */
  explain(error: unknown): string
  /** Whether a service uses it now. */
  isInUse(): Promise<boolean>
}

/** The connections of this process at one moment. */
export interface Connections {
  used: number
  idle: number
  /** The most that there may be. */
  max: number
  /** Requests that wait until one is free. */
  waiting: number
}

/** What the adapter of an engine does in addition to what Kysely's do. */
export interface EngineAdapter extends DialectAdapter {
  /** Whether a statement goes to a server and back, so that several in one round trip take less. */
  readonly hasRoundTrips: boolean
  /** Locks whole tables against all other writers until the transaction ends, perhaps for long. */
  keepStill(trx: Trx, tables: readonly string[]): Promise<void>
  /** Waits until all tables can be written, as each write would. SQLite has one lock for all, and the transaction has it. */
  waitForTables(trx: Trx, tables: readonly string[]): Promise<void>
  /**
   * Who has rows or tables locked, each as a sentence with the statement that ends it. Nothing for SQLite.
   *
   * @param readers also sessions that have only read: they block nothing but a migration.
   */
  lockersOf(db: Db, options?: { readers?: boolean }): Promise<string[]>
  /** Leaves nothing of deleted rows in the files of SQLite. PostgreSQL sees to its files by itself. */
  wipeDeleted(db: Db): Promise<void>
  /** Whether SQLite sorts in files: to make an index of a large table there may not be memory enough. */
  sortInFiles(db: Db, inFiles: boolean): Promise<void>
  /**
   * Counts the rows of tables, for metrics: SQLite exactly and some thousands at a time, so that requests run in
   * between; PostgreSQL by the estimate that it keeps.
   */
  countRows(db: Db, tables: readonly string[]): Promise<ReadonlyMap<string, number>>
  /**
   * Whether a pooler such as PgBouncer stands between, which gives each transaction a session that others use too.
   * Settings go with each transaction, so all holds.
   */
  behindPooler(): Promise<boolean>
  /** `undefined` where there is no pool. */
  connections(): Connections | undefined
}
