import { Kysely, sql, type TransactionBuilder } from 'kysely'
import { DatabaseError, repeated } from './database-errors.ts'
import type { Connections, Db, Engine, PooledAdapter, StillAdapter, Trx } from './engine.ts'
import { postgresEngine } from './postgres.ts'
import { isPostgresUrl, placeOf as placeOfServer } from './postgres-url.ts'
import { sqliteEngine } from './sqlite.ts'
import type { Tables } from './tables.ts'

export type { Connections, Db, Trx }
export { DatabaseError }

/**
 * Opens the database that `DATABASE_URL` names; the only place that knows the dialect.
 *
 * @param poolSize how many connections to PostgreSQL there may be.
 * @throws {DatabaseError} when it does not answer, or is not fit to work with.
 */
export async function openDatabase(databaseUrl: string, { poolSize = 10 } = {}): Promise<Db> {
  const engine = engineOf(databaseUrl, poolSize)
  const db = new PersistentKysely({ dialect: engine.dialect })
  try {
    await engine.check(db)
    return db
  } catch (error) {
    await db.destroy().catch(() => {})
    throw new DatabaseError(engine.explain(error), { cause: error })
  }
}

function engineOf(databaseUrl: string, poolSize: number): Engine {
  return isPostgresUrl(databaseUrl) ? postgresEngine(databaseUrl, poolSize) : sqliteEngine(databaseUrl)
}

/**
 * Transactions that surely left nothing behind are tried again: those that stood in each other's way, and those
 * whose connection was lost before the commit. What a transaction does beside writing must bear to be done twice, or
 * wait for its commit.
 */
class PersistentKysely extends Kysely<Tables> {
  override transaction(): TransactionBuilder<Tables> {
    const builder = super.transaction()
    const once = builder.execute.bind(builder)
    builder.execute = async (work) => {
      const { result, deeds } = await repeated(async () => {
        const deeds: (() => void)[] = []
        const result = await once((trx) => {
          waiting.set(trx, deeds)
          return work(trx)
        })
        return { result, deeds }
      })
      for (const deed of deeds) deed()
      return result
    }
    return builder
  }
}

const waiting = new WeakMap<Trx, (() => void)[]>()

/** Does something once the transaction has committed: never when it did not, and once when it had to be repeated. */
export function afterCommit(trx: Trx, deed: () => void): void {
  const deeds = waiting.get(trx)
  if (!deeds) throw new Error('This transaction was begun by nobody who would tell of its commit')
  deeds.push(deed)
}

/** Lets nobody else write to these tables until the transaction ends; they are locked as a whole, and for long. */
export async function keepStill(trx: Trx, tables: readonly string[]): Promise<void> {
  await (trx.getExecutor().adapter as StillAdapter).keepStill(trx, tables)
}

/** @returns nothing for SQLite, which has no pool. */
export function connectionsOf(db: Db): Connections | undefined {
  return (db.getExecutor().adapter as Partial<PooledAdapter>).connections?.()
}

/** Whether a service works on the database now. */
export async function isInUse(databaseUrl: string): Promise<boolean> {
  return engineOf(databaseUrl, 1).isInUse()
}

/** Where a database is, for people: without user and password. */
export function placeOf(databaseUrl: string): string {
  return isPostgresUrl(databaseUrl) ? placeOfServer(databaseUrl) : databaseUrl
}

/** Rejects when the database does not answer. */
export async function pingDatabase(db: Db): Promise<void> {
  await sql`select 1`.execute(db)
}
