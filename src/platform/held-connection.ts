import type { DatabaseConnection } from 'kysely'
import type { Db } from './engine.ts'

const held = new WeakMap<Db, DatabaseConnection>()

/** The connection that this is bound to. It is asked without Kysely's queue, which runs one statement at a time. */
export const heldConnection = (db: Db): DatabaseConnection | undefined => held.get(db)

/** Does the work with the connection that a transaction, or a Kysely of one connection, is bound to. */
export async function holdingConnection<T>(db: Db, work: () => Promise<T>): Promise<T> {
  held.set(db, await db.getExecutor().provideConnection(async (connection) => connection))
  try {
    return await work()
  } finally {
    held.delete(db)
  }
}
