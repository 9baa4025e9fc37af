import { sql } from 'kysely'
import { onPostgres } from './database.ts'
import type { Service } from './service.ts'

/** A statement on a table that is to fail, as it would when the disk is full or the process dies there. */
export type Fault = readonly [event: 'insert' | 'update' | 'delete', table: string]

/** Lets a statement fail while the work runs. */
export async function failing<T>({ db }: Service, [event, table]: Fault, work: () => Promise<T>): Promise<T> {
  const trigger = sql`create trigger fault before ${sql.raw(event)} on ${sql.table(table)}`
  if (onPostgres) {
    await sql`create function fault() returns trigger language plpgsql
      as 'begin raise exception ''a fault of the test''; end'`.execute(db)
    await sql`${trigger} for each row execute function fault()`.execute(db)
  } else await sql`${trigger} begin select raise(abort, 'a fault of the test'); end`.execute(db)
  try {
    return await work()
  } finally {
    await (onPostgres ? sql`drop function fault cascade` : sql`drop trigger fault`).execute(db)
  }
}
