import { SqliteAdapter, sql } from 'kysely'
import { type Amr, acrOf } from '../../../src/tokens/assurance.ts'
import type { Evidence } from './evidence.ts'

/** What must be so in every database, whoever wrote it. A rule names what breaks it. */

/** The file is sound, and no row points to nowhere. Only SQLite has to be asked. */
export async function fileIsSound({ db }: Evidence): Promise<string[]> {
  if (!(db.getExecutor().adapter instanceof SqliteAdapter)) return []
  const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(db)
  const orphans = await sql<{ table: string; parent: string }>`pragma foreign_key_check`.execute(db)
  return [
    ...rows.map((row) => row.integrity_check).filter((text) => text !== 'ok'),
    ...orphans.rows.map(({ table, parent }) => `a row of ${table} has no row in ${parent}`),
  ]
}

/** The level of a session is what the factors shown in it give, neither more nor less. */
export function levelsFollowFromFactors({ rows }: Evidence): string[] {
  return rows('sessions')
    .filter(({ amr, acr }) => acr !== acrOf(amr.split(' ') as Amr[]))
    .map(({ id, amr, acr }) => `session ${id} has ${acr} for ${amr}`)
}

/** The code that confirmed an authenticator is spent with it; one that came with its account was confirmed elsewhere. */
export function activeFactorsHaveSpentACode({ rows }: Evidence): string[] {
  const imported = new Set(
    rows('audit_events')
      .filter(({ event }) => event === 'account_imported')
      .map(({ account_id }) => account_id),
  )
  return rows('totp_factors')
    .filter(({ state, account_id }) => state === 'active' && !imported.has(account_id))
    .filter((row) => row.last_used_step < 0 || row.confirmed_at === null)
    .map(({ id }) => `authenticator ${id} is active, and no code of it was spent`)
}

/** Tries are counted up to their limit and never below nothing. */
export function countersAreInBounds({ rows }: Evidence): string[] {
  return [
    ...rows('challenges').filter(({ wrong_codes }) => wrong_codes < 0 || wrong_codes > 5),
    ...rows('failure_counters').filter(({ failures }) => failures < 0),
  ].map((row) => `out of bounds: ${JSON.stringify(row)}`)
}
