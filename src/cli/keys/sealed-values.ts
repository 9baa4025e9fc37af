import { sql } from 'kysely'
import type { Db } from '../../platform/database.ts'
import { type NamedTable, tables } from '../../tables.ts'
import { pagesOf } from '../copy/table-pages.ts'

type SealedTable = NamedTable & Required<Pick<NamedTable, 'sealed'>>

const [hashKeys, ...others] = tables.filter((table): table is SealedTable => table.sealed !== undefined)

/**
 * The tables with a column that `SECRET_KEY` seals. The hash key is copied first and comes last here: no service starts
 * without it, so no service starts without the old key until resealing is done.
 */
export const sealedTables: readonly SealedTable[] = [...others, ...(hashKeys ? [hashKeys] : [])]

/** One sealed value, its place, and the context it is bound to. */
export interface SealedValue {
  id: string
  sealed: string
  context: string
}

/** Every sealed value of a table. */
export async function* sealedValues(db: Db, table: SealedTable): AsyncGenerator<SealedValue> {
  const { column, context } = table.sealed
  for await (const rows of pagesOf(db, table))
    for (const row of rows)
      yield { id: String(row.id), sealed: String(row[column]), context: context(row as never) }
}

/** Replaces a value, unless it has changed meanwhile. */
export async function replaceSealed(
  db: Db,
  { name, sealed: { column } }: SealedTable,
  { id, sealed }: SealedValue,
  replacement: string,
): Promise<void> {
  await sql`update ${sql.table(name)} set ${sql.ref(column)} = ${replacement}
    where id = ${id} and ${sql.ref(column)} = ${sealed}`.execute(db)
}
