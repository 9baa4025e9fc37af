import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Db, Trx } from '../../platform/database.ts'
import type { NamedTable } from '../../tables.ts'

export type Row = Record<string, string | number | null>

/** Few enough for the parameters of one statement, and for the memory. */
const PAGE_SIZE = 500

/**
 * The rows of a table, page by page in the order of its key.
 *
 * @param skipped how many rows to leave out at the beginning.
 */
export async function* pagesOf(
  db: Db,
  { name: table, key: names }: NamedTable,
  skipped = 0,
): AsyncGenerator<Row[]> {
  const key = sql.join(names.map((name) => sql.ref(name)))
  const valuesOf = (row: Row) => sql.join(names.map((name) => row[name]))
  let last: Row | undefined
  if (skipped > 0) {
    const { rows } = await sql<Row>`
      select * from ${sql.table(table)} order by ${key} limit 1 offset ${skipped - 1}`.execute(db)
    last = rows[0]
    if (!last) return
  }
  for (;;) {
    const after = last ? sql`where (${key}) > (${valuesOf(last)})` : sql``
    const { rows } = await sql<Row>`
      select * from ${sql.table(table)} ${after} order by ${key} limit ${PAGE_SIZE}`.execute(db)
    if (rows.length > 0) yield rows
    if (rows.length < PAGE_SIZE) return
    last = rows.at(-1)
  }
}

export async function countRows(db: Db, { name }: NamedTable): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(name)}`.execute(db)
  return rows[0]?.count ?? 0
}

/** The content of a table, independent of the order of its rows: databases sort texts in different ways. */
export interface Digest {
  rows: number
  /** The sum of the SHA-256 of all rows, modulo 2^256, in hexadecimal. */
  sha256: string
}

/** @param onPage called with the number of rows of each page. */
export async function digestOf(trx: Trx, table: NamedTable, onPage: (rows: number) => void): Promise<Digest> {
  let [count, sum] = [0, 0n]
  for await (const rows of pagesOf(trx, table)) {
    count += rows.length
    for (const row of rows) sum = BigInt.asUintN(256, sum + hashOf(row))
    onPage(rows.length)
  }
  return { rows: count, sha256: sum.toString(16).padStart(64, '0') }
}

function hashOf(row: Row): bigint {
  const cells = Object.entries(row).sort(([one], [other]) => (one < other ? -1 : 1))
  return BigInt(`0x${createHash('sha256').update(JSON.stringify(cells)).digest('hex')}`)
}
