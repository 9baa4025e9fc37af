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

/** An addition to Kysely's adapters that transactions need. */
export interface StillAdapter extends DialectAdapter {
  keepStill(trx: Trx, tables: readonly string[]): Promise<void>
}

/** Keeps what was deleted in its files for a while. */
export interface WipingAdapter extends DialectAdapter {
  wipeDeleted(db: Db): Promise<void>
}

/** Counts rows without delaying requests. */
export interface CountingAdapter extends DialectAdapter {
  countRows(db: Db, tables: readonly string[]): Promise<ReadonlyMap<string, number>>
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

/** An adapter with a pool of connections. */
export interface PooledAdapter extends DialectAdapter {
  connections(): Connections
}
