import { setImmediate as turn } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import { sql } from 'kysely'
import pg from 'pg'
import { sqlitePath } from '../../../src/platform/sqlite-files.ts'
import type { Tables } from '../../../src/platform/tables.ts'
import { onPostgres } from './database.ts'
import type { Service } from './service.ts'
import { watchingStatements } from './statements.ts'

/** An account with more rows than a person would make, without the trouble of making them by requests. */

const numbers = (rows: number) =>
  sql`n(i) as (select 1 union all select i + 1 from n where i < ${sql.lit(rows)})`

/** What rows are written with: the parts of a service, or of its database from outside. */
type Filled = Pick<Service, 'db'> & { clock: Pick<Service['clock'], 'now'> }

/** Gives an account sessions that live, the first one unused longest. */
export async function addSessions(
  { db, clock }: Filled,
  accountId: string,
  rows: number,
  { ended = false } = {},
): Promise<void> {
  const now = clock.now()
  await sql`
    with recursive ${numbers(rows)}
    insert into sessions (id, account_id, amr, acr, auth_time, created_at, last_used_at, idle_expires_at, expires_at,
      ended_at, ip, user_agent)
    select ${ended ? 'ended-' : 'live-'} || i, ${sql.lit(accountId)}, 'pwd otp mfa', 'aal2', 1, 1,
      ${sql.lit(now - 1_000_000)} + i, ${sql.lit(now + 86_400_000)}, ${sql.lit(now + 86_400_000)},
      ${sql.lit(ended ? now - 1 : null)}, '192.0.2.1', 'seeded' from n`.execute(db)
}

/** Gives a session refresh tokens that were used, and are kept to know them again. */
export async function addUsedTokens({ db, clock }: Filled, sessionId: string, rows: number): Promise<void> {
  await sql`
    with recursive ${numbers(rows)}
    insert into refresh_tokens (token_hash, session_id, created_at, expires_at, rotated_at)
    select ${`used-${sessionId}-`} || i, ${sql.lit(sessionId)}, 1, ${sql.lit(clock.now() + 86_400_000)}, 1
    from n`.execute(db)
}

/** Gives an account challenges without an answer. */
export async function addChallenges({ db, clock }: Filled, accountId: string, rows: number): Promise<void> {
  await sql`
    with recursive ${numbers(rows)}
    insert into challenges (id, account_id, created_at, expires_at, wrong_codes)
    select 'asked-' || i, ${sql.lit(accountId)}, 1, ${sql.lit(clock.now() + 60_000)}, 0 from n`.execute(db)
}

/** Gives an account events of its sign-ins. */
export async function addEvents({ db, clock }: Filled, accountId: string, rows: number): Promise<void> {
  await sql`
    with recursive ${numbers(rows)}
    insert into audit_events (id, at, event, outcome, account_id, ip, user_agent, request_id, actor)
    select '0-' || i, ${sql.lit(clock.now() - 1_000_000)} + i, 'session_started', 'success', ${sql.lit(accountId)},
      '192.0.2.1', 'seeded', 'seeded', 'client' from n`.execute(db)
}

/** Tells the questions of the test from the questions of the service. */
const OUTSIDE = '/* outside */'

/** A table, or the part of it that a condition names. */
interface Counted {
  table: keyof Tables
  where?: string
}

/**
 * Counts committed rows from outside before each statement of some work.
 *
 * @returns for each table the most rows that went between two statements: what one transaction has taken at once.
 */
export async function greatestSteps(
  { databaseUrl }: Pick<Service, 'databaseUrl'>,
  tables: readonly Counted[],
  work: () => Promise<unknown>,
): Promise<Record<string, number>> {
  const outside = await openOutside(databaseUrl)
  const count = ({ table, where = 'true' }: Counted) =>
    outside.count(`select count(*) as count from ${table} where ${where} ${OUTSIDE}`)
  const steps = Object.fromEntries(tables.map(({ table }) => [table, 0]))
  const before = new Map<string, number>()
  const note = (table: string, now: number) => {
    steps[table] = Math.max(steps[table] ?? 0, (before.get(table) ?? now) - now)
    before.set(table, now)
  }
  /** One after the other: a statement runs when what was there before it is known. */
  let looked = Promise.resolve()
  const look = (text = '') => {
    if (text.includes(OUTSIDE)) return
    if (!onPostgres) {
      for (const counted of tables) note(counted.table, count(counted) as number)
      return
    }
    looked = looked.then(async () => {
      for (const counted of tables) note(counted.table, await count(counted))
    })
    return looked
  }
  await look()
  await watchingStatements(databaseUrl, look, work)
  await turn()
  await look()
  await outside.close()
  return steps
}

interface Outside {
  count(text: string): number | Promise<number>
  close(): unknown
}

async function openOutside(databaseUrl: string): Promise<Outside> {
  if (!onPostgres) {
    const sqlite = new BetterSqlite3(sqlitePath(databaseUrl), { readonly: true })
    return { count: (text) => sqlite.prepare(text).pluck().get() as number, close: () => sqlite.close() }
  }
  const client = new pg.Client(databaseUrl)
  await client.connect()
  return {
    count: async (text) => Number((await client.query(text)).rows[0].count),
    close: () => client.end(),
  }
}
