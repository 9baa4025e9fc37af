import { sql } from 'kysely'
import type { Trx } from './database.ts'
import type { Tables } from './tables.ts'

/**
 * Counts one more in the window that has begun `since`, or begins a window.
 *
 * @returns until when no more are allowed, where this one is too many and was not counted.
 */
export async function countInWindow(
  trx: Trx,
  counted: { table: keyof Tables; key: string; count: string },
  subject: string,
  { now, windowMs, max }: { now: number; windowMs: number; max: number },
): Promise<number | undefined> {
  const [table, key, count] = [sql.table(counted.table), sql.ref(counted.key), sql.ref(counted.count)]
  // A window that begins later than one window from now was counted by a clock that was ahead.
  await sql`delete from ${table} where ${key} = ${subject}
    and (since <= ${now - windowMs} or since > ${now + windowMs})`.execute(trx)
  const counting = sql`insert into ${table} as c (${key}, since, ${count}) values (${subject}, ${now}, 1)
    on conflict (${key}) do update set ${count} = c.${count} + 1 where c.${count} < ${max} returning 1`
  if ((await counting.execute(trx)).rows.length > 0) return undefined
  const full = await sql<{ since: number }>`select since from ${table} where ${key} = ${subject}`.execute(trx)
  return Number(full.rows[0]?.since) + windowMs
}
