import type { Dialect, DialectAdapter, Kysely, Transaction } from 'kysely'
import type { Tables } from './tables.ts'

export type Db = Kysely<Tables>
/** What a store function that must not run outside a transaction asks for. */
export type Trx = Transaction<Tables>

/** What differs between databases, all of it. */
export interface Engine {
  dialect: Dialect
  /** Rejects when the database cannot be used. */
  check(db: Db): Promise<void>
  /** Why it cannot, in a sentence. */
  explain(error: unknown): string
  /** Whether a service works on it now. */
  isInUse(): Promise<boolean>
}

/** What a transaction asks of its dialect beside what Kysely does. */
export interface StillAdapter extends DialectAdapter {
  keepStill(trx: Trx, tables: readonly string[]): Promise<void>
}

/** The connections of this process at one moment. */
export interface Connections {
  used: number
  idle: number
  /** How many there may be. */
  max: number
  /** Requests that wait until one is free. */
  waiting: number
}

/** Has a pool of them. */
export interface PooledAdapter extends DialectAdapter {
  connections(): Connections
}
