import { type Dialect, Kysely, sql, type Transaction, type TransactionBuilder } from 'kysely'
import { repeated } from './database-errors.ts'
import { postgresEngine } from './postgres.ts'
import { isPostgresUrl } from './postgres-url.ts'
import { sqliteEngine } from './sqlite.ts'
import type { Tables } from './tables.ts'

export type Db = Kysely<Tables>
/** What a store function that must not run outside a transaction asks for. */
export type Trx = Transaction<Tables>

/** The database could not be opened; the message is a sentence for the operator. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
}

/** What differs between databases, all of it. */
export interface Engine {
  dialect: Dialect
  /** Rejects when the database cannot be used. */
  check(db: Db): Promise<void>
  /** Why it cannot, in a sentence. */
  explain(error: unknown): string
}

/**
 * Opens the database that `DATABASE_URL` names; the only place that knows the dialect.
 *
 * @param poolSize how many connections to PostgreSQL there may be.
 * @throws {DatabaseError} when it does not answer, or is not fit to work with.
 */
export async function openDatabase(databaseUrl: string, { poolSize = 10 } = {}): Promise<Db> {
  const engine = isPostgresUrl(databaseUrl)
    ? postgresEngine(databaseUrl, poolSize)
    : sqliteEngine(databaseUrl)
  const db = new PersistentKysely<Tables>({ dialect: engine.dialect })
  try {
    await engine.check(db)
    return db
  } catch (error) {
    await db.destroy().catch(() => {})
    throw new DatabaseError(engine.explain(error), { cause: error })
  }
}

/**
 * Transactions that surely left nothing behind are tried again: those that stood in each other's way, and those
 * whose connection was lost before the commit. What a transaction does beside writing must bear to be done twice.
 */
class PersistentKysely<DB> extends Kysely<DB> {
  override transaction(): TransactionBuilder<DB> {
    const builder = super.transaction()
    const once = builder.execute.bind(builder)
    builder.execute = (work) => repeated(() => once(work))
    return builder
  }
}

/** Rejects when the database does not answer. */
export async function pingDatabase(db: Db): Promise<void> {
  await sql`select 1`.execute(db)
}
