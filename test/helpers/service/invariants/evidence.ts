import type { Db } from '../../../../src/platform/database.ts'
import type { Tables } from '../../../../src/platform/tables.ts'
import { tablesOf } from '../database.ts'
import type { Entry } from './ledger.ts'
import type { Witness } from './witness.ts'

/** What the rules look at. */
export interface Evidence {
  db: Db
  /** Those of a table that a test has taken away are none. */
  rows<T extends keyof Tables>(table: T): readonly Tables[T][]
  /** Every row of every table, as text. */
  tables: string
  /** Empty for a database that others wrote. */
  ledger: readonly Entry[]
  witness: Pick<Witness, 'accepted' | 'handedOut' | 'secrets'>
  log: string
  /** As a refresh token stands in the database. */
  refreshTokenHash(token: string): string
}

/** So many rows of a table are enough to find what is wrong with it. */
const ENOUGH_ROWS = 1000

export async function readTables(db: Db): Promise<Pick<Evidence, 'rows' | 'tables'>> {
  const tables: Record<string, unknown[]> = {}
  for (const name of await tablesOf(db))
    tables[name] = await db
      .selectFrom(name as keyof Tables)
      .selectAll()
      .limit(ENOUGH_ROWS)
      .execute()
  return { rows: (table) => (tables[table] ?? []) as never, tables: JSON.stringify(tables) }
}

/** When a row was written last; `undefined` for a database that others wrote. */
export function writtenAt({ ledger }: Evidence, table: string, id: string): number | undefined {
  return ledger.findLast(({ kind, fact, subject }) => kind === 'written' && fact === table && subject === id)
    ?.at
}
