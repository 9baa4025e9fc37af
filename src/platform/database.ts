import { Kysely } from 'kysely'
import { DatabaseError, repeated } from './database-errors.ts'
import type { Db, Engine, EngineAdapter, Trx } from './engine.ts'
import { isPostgresUrl, placeOf as placeOfServer } from './postgres-url.ts'
import { sqliteEngine } from './sqlite.ts'

export type { Db, Trx }
export { DatabaseError }

/**
 * Opens the database that `DATABASE_URL` names. Only this function knows the dialects.
 *
 * @param poolSize the number of connections to PostgreSQL.
 * @param mayMake whether a new SQLite file may be made where there has been one.
 * @throws {DatabaseError} when it does not answer, or is not fit to work with.
 */
export async function openDatabase(
  databaseUrl: string,
  { poolSize = 10, mayMake = false } = {},
): Promise<Db> {
  const engine = await engineOf(databaseUrl, poolSize, mayMake)
  const db: Db = new Kysely({ dialect: engine.dialect })
  try {
    await engine.check(db)
    return db
  } catch (error) {
    const sentence = engine.explain(error)
    await db.destroy().catch(() => {})
    throw new DatabaseError(sentence, { cause: error })
  }
}

async function engineOf(databaseUrl: string, poolSize = 1, mayMake = false): Promise<Engine> {
  if (!isPostgresUrl(databaseUrl)) return sqliteEngine(databaseUrl, { mayMake })
  const { postgresEngine } = await import('./postgres.ts')
  return postgresEngine(databaseUrl, poolSize)
}

/**
 * Runs the work in a transaction, and is the only way to one. A transaction that certainly left nothing behind is
 * tried again: it collided with another one, or the connection was lost before the commit. So the work may run twice.
 * It only writes to the database, and leaves everything else to `afterCommit`.
 *
 * @throws what the work throws; nothing is written then.
 */
export async function inTransaction<T>(db: Db, work: (trx: Trx) => Promise<T>): Promise<T> {
  const { result, after } = await repeated(async () => {
    const waits: Waiting = { before: [], after: [] }
    const result = await db.transaction().execute(async (trx) => {
      waiting.set(trx, waits)
      try {
        const result = await work(trx)
        for (const last of waits.before) await last()
        return result
      } finally {
        waiting.delete(trx)
      }
    })
    return { result, after: waits.after }
  })
  for (const deed of after) deed()
  return result
}

interface Waiting {
  before: (() => Promise<void>)[]
  after: (() => void)[]
}

/** What waits for the end of a transaction: Kysely's has no place for it. No two transactions share anything. */
const waiting = new WeakMap<Trx, Waiting>()

function waitingFor(trx: Trx): Waiting {
  const waits = waiting.get(trx)
  if (!waits) throw new Error('This needs a transaction of inTransaction that has not ended')
  return waits
}

/**
 * Writes at the end of the transaction, before it commits, what one statement can write for all of it.
 *
 * @throws when the transaction has ended or is not one of {@link inTransaction}.
 */
export const beforeCommit = (trx: Trx, write: () => Promise<void>) => waitingFor(trx).before.push(write)

/**
 * Runs the work once the transaction has committed: not at all when it failed, and once when it was repeated.
 *
 * @throws when the transaction has ended or is not one of {@link inTransaction}: the work would never run.
 */
export const afterCommit = (trx: Trx, deed: () => void) => waitingFor(trx).after.push(deed)

const adapterOf = (db: Db) => db.getExecutor().adapter as EngineAdapter

/** Locks whole tables against all other writers until the transaction ends, perhaps for long. */
export const keepStill = (trx: Trx, tables: readonly string[]) => adapterOf(trx).keepStill(trx, tables)

/** Waits until all tables can be written, as each write would. SQLite has one lock for all, and the transaction has it. */
export const waitForTables = (trx: Trx, tables: readonly string[]) =>
  adapterOf(trx).waitForTables(trx, tables)

/** Who has rows or tables locked, each as a sentence with the statement that ends it. Nothing for SQLite. */
export const lockersOf = (db: Db) => adapterOf(db).lockersOf(db)

/** Leaves nothing of deleted rows in the files of SQLite. PostgreSQL sees to its files by itself. */
export const wipeDeleted = (db: Db) => adapterOf(db).wipeDeleted(db)

/**
 * Counts the rows of tables, for metrics: SQLite exactly and some thousands at a time, so that requests run in
 * between; PostgreSQL by the estimate that it keeps.
 */
export const countRows = (db: Db, tables: readonly string[]) => adapterOf(db).countRows(db, tables)

/** @returns nothing for SQLite, which has no pool. */
export const connectionsOf = (db: Db) => adapterOf(db).connections()

/** Whether a pooler stands between this process and PostgreSQL. Its settings go with each transaction, so all holds. */
export const behindPooler = (db: Db) => adapterOf(db).behindPooler()

/** Whether a service uses the database now. */
export async function isInUse(databaseUrl: string): Promise<boolean> {
  return (await engineOf(databaseUrl)).isInUse()
}

/** The place of a database for people, without user and password. */
export function placeOf(databaseUrl: string): string {
  return isPostgresUrl(databaseUrl) ? placeOfServer(databaseUrl) : databaseUrl
}
