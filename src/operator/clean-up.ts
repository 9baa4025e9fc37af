import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { EventName } from '../audit/events.ts'
import { MAIL_WINDOW_MS } from '../mail/allowance.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import type { Tables } from '../platform/tables.ts'

/** Rows to delete in one statement: a millisecond or two of work, after which requests have their turn. */
export const BATCH_SIZE = 200

const PAUSE_MS = 20

/** How long the wrong passwords of a name from a network are remembered after the last one. */
const COUNTER_RETENTION_MS = 90 * 24 * 3600 * 1000

/** How long the audit trail reaches back. */
const AUDIT_RETENTION_MS = 365 * 24 * 3600 * 1000

/** Those of its events that tell of a refresh: most of it, and of use for as long as a refresh token lives by default. */
const REFRESH_RETENTION_MS = 30 * 24 * 3600 * 1000

/** Rows that nothing asks for any more. */
interface Expiry {
  table: keyof Tables
  key: string
  /** The time from which on, and `retention` milliseconds later, a row may go; it has an index. */
  column: string
  retention?: number
  /** Which of the rows; all when it is left out. */
  only?: { column: string; value: string }
  /** Rows that would go with a row, and may be many: they go before it, in batches of their own. */
  dependents?: { table: keyof Tables; key: string; parent: string }
}

const REFRESH_TOKENS = { table: 'refresh_tokens', key: 'token_hash', parent: 'session_id' } as const

/** What goes by itself; the rest goes with its account. */
const EXPIRIES: readonly Expiry[] = [
  { table: 'challenges', key: 'id', column: 'expires_at' },
  { table: 'totp_factors', key: 'id', column: 'expires_at' },
  { table: 'email_codes', key: 'challenge_id', column: 'expires_at' },
  { table: 'email_changes', key: 'account_id', column: 'expires_at' },
  { table: 'password_resets', key: 'token_hash', column: 'expires_at' },
  { table: 'refresh_tokens', key: 'token_hash', column: 'expires_at' },
  { table: 'mail_counts', key: 'subject', column: 'since', retention: MAIL_WINDOW_MS },
  // Of passwords alone: those rows are of names and networks that anybody can make up.
  {
    table: 'failure_counters',
    key: 'subject',
    column: 'last_failed_at',
    retention: COUNTER_RETENTION_MS,
    only: { column: 'factor', value: 'password' },
  },
  { table: 'audit_events', key: 'id', column: 'at', retention: AUDIT_RETENTION_MS },
  {
    table: 'audit_events',
    key: 'id',
    column: 'at',
    retention: REFRESH_RETENTION_MS,
    only: { column: 'event', value: 'token_refreshed' satisfies EventName },
  },
  { table: 'sessions', key: 'id', column: 'ended_at', dependents: REFRESH_TOKENS },
  { table: 'sessions', key: 'id', column: 'idle_expires_at', dependents: REFRESH_TOKENS },
]

/** Deletes what has expired, a small batch at a time. @returns how many rows went, by table. */
export type CleanUp = (signal?: AbortSignal) => Promise<Record<string, number>>

export function makeCleanUp({ db, clock }: { db: Db; clock: Clock }): CleanUp {
  const expired = ({ column, retention = 0, only }: Expiry) => {
    const old = sql`${sql.ref(column)} <= ${clock.now() - retention}`
    // Written out, since an index of those rows alone is no index for any value.
    return only ? sql`${old} and ${sql.ref(only.column)} = ${sql.lit(only.value)}` : old
  }

  async function expiredKeys(expiry: Expiry): Promise<string[]> {
    const { rows } = await sql<{ key: string }>`
      select ${sql.ref(expiry.key)} as key from ${sql.table(expiry.table)}
      where ${expired(expiry)} limit ${BATCH_SIZE}`.execute(db)
    return rows.map((row) => row.key)
  }

  /** Asked anew each time: a row may have been renewed since. */
  const stillExpired = (expiry: Expiry, keys: readonly string[]) =>
    sql`${sql.ref(expiry.key)} in (${sql.join(keys)}) and ${expired(expiry)}`

  async function deleteDependents(
    expiry: Expiry,
    parents: readonly string[],
    signal?: AbortSignal,
  ): Promise<void> {
    const { dependents } = expiry
    if (!dependents) return
    const [from, key, parent] = [
      sql.table(dependents.table),
      sql.ref(dependents.key),
      sql.ref(dependents.parent),
    ]
    for (let count = BATCH_SIZE; count === BATCH_SIZE && !signal?.aborted; await sleep(PAUSE_MS)) {
      const { numAffectedRows = 0n } = await sql`
        delete from ${from} where ${key} in (
          select ${key} from ${from} where ${parent} in (
            select ${sql.ref(expiry.key)} from ${sql.table(expiry.table)} where ${stillExpired(expiry, parents)})
          limit ${BATCH_SIZE})`.execute(db)
      count = Number(numAffectedRows)
    }
  }

  async function deleteBatch(expiry: Expiry, signal?: AbortSignal): Promise<number> {
    const keys = await expiredKeys(expiry)
    if (keys.length === 0) return 0
    await deleteDependents(expiry, keys, signal)
    if (signal?.aborted) return 0
    await sql`delete from ${sql.table(expiry.table)} where ${stillExpired(expiry, keys)}`.execute(db)
    return keys.length
  }

  return async (signal) => {
    const deleted: Record<string, number> = {}
    for (const expiry of EXPIRIES) {
      for (let count = BATCH_SIZE; count === BATCH_SIZE && !signal?.aborted; await sleep(PAUSE_MS)) {
        count = await deleteBatch(expiry, signal)
        deleted[expiry.table] = (deleted[expiry.table] ?? 0) + count
      }
    }
    return deleted
  }
}
