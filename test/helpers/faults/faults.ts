import type BetterSqlite3 from 'better-sqlite3'
import { sql } from 'kysely'
import pg from 'pg'
import { onPostgres } from '../service/database.ts'
import type { Service } from '../service/service.ts'
import { watchingStatements } from '../service/statements.ts'

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

/**
 * Lets another process write something at the worst moment, between a look of the service and what it then does: just
 * before a statement. PostgreSQL allows that within a transaction, to whoever does not ask for the lock of the account;
 * SQLite does not, and there it is done on the same connection.
 *
 * @param statement the beginning of the statement, as Kysely writes it.
 */
export async function justBefore<T>(
  { databaseUrl }: Service,
  statement: string,
  others: string,
  work: () => Promise<T>,
): Promise<T> {
  let done = false
  const see = (text: string, sqlite?: BetterSqlite3.Database) => {
    if (done || !text.startsWith(statement)) return
    done = true
    if (!sqlite) return byAnother(databaseUrl, others)
    sqlite.exec(others)
  }
  const result = await watchingStatements(databaseUrl, see, work)
  if (!done) throw new Error(`there was no statement that begins with ${statement}`)
  return result
}

/** Commits before it returns. @throws when it would have to wait for the transaction that waits for it. */
async function byAnother(databaseUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, lock_timeout: 1000 })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
