import { SqliteAdapter, sql } from 'kysely'
import type { Tables } from '../../../../src/platform/tables.ts'
import { type Evidence, writtenAt } from './evidence.ts'
import { factorRules } from './factors.ts'
import type { Finding } from './steps.ts'

/** What must be so in every database, whatever wrote it. A rule names what breaks it. */

/** The file is sound, and no row points to nowhere. Only SQLite has to be asked. */
export async function fileIsSound({ db }: Evidence): Promise<Finding[]> {
  if (!(db.getExecutor().adapter instanceof SqliteAdapter)) return []
  const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(db)
  const orphans = await sql<{ table: string; parent: string }>`pragma foreign_key_check`.execute(db)
  return [
    ...rows.map((row) => row.integrity_check).filter((text) => text !== 'ok'),
    ...orphans.rows.map(({ table, parent }) => `a row of ${table} has no row in ${parent}`),
  ].map((what) => ({ what }))
}

/**
 * The level of a session is what the factor shown in it gives, neither more nor less, and the account has or had that
 * factor. What stands in for the best factor gives the level that the account has; an ended session may have had another.
 */
export function levelsFollowFromFactors(evidence: Evidence): Finding[] {
  const best = new Set(
    factorRules.flatMap(({ acr, holders }) => (acr === 'aal2' && holders ? holders(evidence.rows) : [])),
  )
  const levelsOf = ({
    amr,
    account_id,
    ended_at,
  }: Pick<Tables['sessions'], 'amr' | 'account_id' | 'ended_at'>) => {
    const shown = factorRules.find((factor) => factor.amr.test(amr))
    // A passkey can be all that was shown, and it can be gone since; then a password again shows no more than itself.
    if (!shown) return ['pwd', 'pwd mfa', ''].includes(amr) ? ['aal1'] : []
    if (shown.everHeld && !shown.everHeld(evidence.rows).includes(account_id)) return []
    if (shown.acr !== 'best') return [shown.acr]
    return ended_at === null ? [best.has(account_id) ? 'aal2' : 'aal1'] : ['aal1', 'aal2']
  }
  return evidence
    .rows('sessions')
    .filter((session) => !levelsOf(session).includes(session.acr))
    .map(({ id, amr, acr }) => ({
      what: `session ${id} has ${acr} for ${amr}`,
      at: writtenAt(evidence, 'sessions', id),
    }))
}

/** The code that confirmed an authenticator is spent with it; one that came with its account was confirmed elsewhere. */
export function activeFactorsHaveSpentACode(evidence: Evidence): Finding[] {
  const { rows } = evidence
  const imported = new Set(
    rows('audit_events')
      .filter(({ event }) => event === 'account_imported')
      .map(({ account_id }) => account_id),
  )
  return rows('totp_factors')
    .filter(({ state, account_id }) => state === 'active' && !imported.has(account_id))
    .filter((row) => row.last_used_step < 0 || row.confirmed_at === null)
    .map(({ id }) => ({
      what: `authenticator ${id} is active, and no code of it was spent`,
      at: writtenAt(evidence, 'totp_factors', id),
    }))
}

/** Tries are counted up to their limit and never below nothing; a session has five step-ups that were wrong. */
export function countersAreInBounds(evidence: Evidence): Finding[] {
  const { rows } = evidence
  const outOfBounds = (row: object, table: string, id: string) => ({
    what: `out of bounds: ${JSON.stringify(row)}`,
    at: writtenAt(evidence, table, id),
  })
  return [
    ...rows('challenges')
      .filter(({ wrong_codes }) => wrong_codes < 0 || wrong_codes > 5)
      .map((row) => outOfBounds(row, 'challenges', row.id)),
    ...rows('sessions')
      .filter((row) => Number(row.step_up_attempts) < 0 || Number(row.step_up_attempts) > 5)
      .map((row) => outOfBounds(row, 'sessions', row.id)),
    ...rows('failure_counters')
      .filter(({ failures }) => failures < 0)
      .map((row) => outOfBounds(row, 'failure_counters', `${row.subject} ${row.factor}`)),
  ]
}
