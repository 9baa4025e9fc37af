import { DeleteResult, InsertResult, Kysely, type UpdateResult } from 'kysely'
import { DatabaseError, repeated } from './database-errors.ts'
import type { Db, Engine, EngineAdapter, Trx } from './engine.ts'
import { holdingConnection } from './held-connection.ts'
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
    const result = await db.transaction().execute((trx) =>
      holdingConnection(trx, async () => {
        waiting.set(trx, waits)
        try {
          const result = await work(trx)
          for (const last of waits.before) await last()
          return result
        } finally {
          waiting.delete(trx)
        }
      }),
    )
    return { result, after: waits.after }
  })
  for (const deed of after) deed()
  return result
}

/** Reads on one connection to a server: what is asked there together goes in one round trip. */
export const readTogether = <T>(db: Db, read: (db: Db) => Promise<T>): Promise<T> =>
  adapterOf(db).hasRoundTrips
    ? db.connection().execute((connected) => holdingConnection(connected, () => read(connected)))
    : read(db)

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

/** What differs between databases, beyond SQL. */
export const adapterOf = (db: Db) => db.getExecutor().adapter as EngineAdapter

/** Whether a service uses the database now. */
export async function isInUse(databaseUrl: string): Promise<boolean> {
  return (await engineOf(databaseUrl)).isInUse()
}

/** The place of a database for people, without user and password. */
export function placeOf(databaseUrl: string): string {
  return isPostgresUrl(databaseUrl) ? placeOfServer(databaseUrl) : databaseUrl
}

/**
 * Runs an update, a deletion, or an insertion that does nothing where the row is there: of several at once, only one finds the
 * row, or makes it.
 *
 * @returns whether it wrote exactly one row.
 */
export async function wroteOne(write: {
  executeTakeFirstOrThrow(): Promise<UpdateResult | DeleteResult | InsertResult>
}): Promise<boolean> {
  const result = await write.executeTakeFirstOrThrow()
  if (result instanceof InsertResult) return result.numInsertedOrUpdatedRows === 1n
  return (result instanceof DeleteResult ? result.numDeletedRows : result.numUpdatedRows) === 1n
}

/** Which accounts these rows are of. */
export async function accountsOf(rows: {
  execute(): Promise<{ account_id: string }[]>
}): Promise<Set<string>> {
  return new Set((await rows.execute()).map(({ account_id }) => account_id))
}
