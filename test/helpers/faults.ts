import { sql } from 'kysely'
import type { Service } from './service.ts'

/** A statement on a table that is to fail, as it would when the disk is full or the process dies there. */
export type Fault = readonly [event: 'insert' | 'update' | 'delete', table: string]

/** Lets a statement fail while the work runs. */
export async function failing<T>({ db }: Service, [event, table]: Fault, work: () => Promise<T>): Promise<T> {
  await sql`create trigger fault before ${sql.raw(event)} on ${sql.table(table)}
    begin select raise(abort, 'a fault of the test'); end`.execute(db)
  try {
    return await work()
  } finally {
    await sql`drop trigger fault`.execute(db)
  }
}
