import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { KeyRing } from '../crypto/key-ring.ts'
import { type SecretBox, sealedUnder } from '../crypto/secret-box.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import { type NamedTable, tables } from '../tables.ts'
import { liveReplicas, sealingSince } from '../tokens/key-holders.ts'

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

type SealedTable = NamedTable & Required<Pick<NamedTable, 'sealed'>>

const [hashKeys, ...others] = tables.filter((table): table is SealedTable => table.sealed !== undefined)

/**
 * The tables with a column that `SECRET_KEY` seals. The hash key is copied first and comes last here: no service starts
 * without it, so no service starts without the old key until resealing is done.
 */
export const sealedTables: readonly SealedTable[] = [...others, ...(hashKeys ? [hashKeys] : [])]

/** Every sealed value of a table, with the id of its row and the context that it is bound to. */
async function* sealedValues(db: Db, { sealed: { column, context }, ...table }: SealedTable) {
  for await (const rows of pagesOf(db, table))
    for (const row of rows)
      yield { id: String(row.id), sealed: String(row[column]), context: context(row as never) }
}

/**
 * Seals everything again under the first `SECRET_KEY`, so that the others can be removed. Safe while a service runs whose
 * replicas all seal under that key, and safe to repeat.
 *
 * @returns how many values were sealed again, by kind.
 * @throws {UnsealError} when a value opens under none of the keys. Values before it stay resealed.
 */
export async function reseal(db: Db, box: SecretBox): Promise<Record<string, number>> {
  const resealed: Record<string, number> = {}
  for (const table of sealedTables) {
    const [name, column] = [sql.table(table.name), sql.ref(table.sealed.column)]
    let count = 0
    for await (const { id, sealed, context } of sealedValues(db, table)) {
      if (box.isCurrent(sealed)) continue
      const resealed = box.seal(box.open(sealed, context), context)
      // Unless it has changed meanwhile.
      await sql`update ${name} set ${column} = ${resealed} where id = ${id} and ${column} = ${sealed}`.execute(
        db,
      )
      count += 1
    }
    resealed[table.sealed.name] = count
  }
  return resealed
}

/** A key of `SECRET_KEY`, by its id: one that is given, or that values of the database are sealed under. */
export type KeyStatus = Awaited<ReturnType<typeof statusOfKeys>>['keys'][number]

/** Which keys are given and needed, and who holds them. Nothing is opened. */
export async function statusOfKeys(db: Db, keyRing: KeyRing, clock: Clock) {
  const counts = new Map<string, Record<string, number>>(keyRing.all.map(({ id }) => [id, {}]))
  for (const table of sealedTables)
    for await (const { sealed } of sealedValues(db, table)) {
      const id = sealedUnder(sealed)
      const values = counts.get(id) ?? {}
      values[table.sealed.name] = (values[table.sealed.name] ?? 0) + 1
      counts.set(id, values)
    }
  const since = await sealingSince(db)
  const keys = [...counts].map(([id, values]) => ({
    id,
    /** Whether it is given, and whether it is the first one. */
    held: keyRing.find(id) !== undefined,
    seals: id === keyRing.primary.id,
    /** Epoch milliseconds; `null` when it has sealed nothing here, or only before this was noted. */
    sealingSince: since.get(id) ?? null,
    /** How many values are sealed under it, by kind. */
    values,
  }))
  return { keys, replicas: await liveReplicas(db, clock) }
}

/** How many values are sealed under it. */
export const countOf = ({ values }: Pick<KeyStatus, 'values'>): number =>
  Object.values(values).reduce((sum, count) => sum + count, 0)
