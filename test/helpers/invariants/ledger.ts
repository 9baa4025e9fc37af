import { CompiledQuery, SqliteAdapter, sql } from 'kysely'
import type { Db } from '../../../src/platform/database.ts'

/**
 * Something that a connection did to the tables. What was rolled back is not in the ledger; what a later change
 * takes back is.
 */
export interface Entry {
  kind: 'spent' | 'revived' | 'session' | 'refresh token' | 'event' | 'reset' | 'forgotten'
  /** Whose: an account, a session, or the subject of a counter. */
  subject: string
  fact: string
}

/** One trigger: an entry for each row that the condition holds for. */
interface Note {
  kind: Entry['kind']
  event: 'insert' | 'update' | 'delete'
  table: string
  when?: string
  subject: string
  fact: string
}

/** What is good once, the column that says whether it was used, and whose it is. */
const SINGLE_USE = [
  ['recovery_code', 'recovery_codes', 'used_at', 'account_id'],
  ['email', 'email_codes', 'used_at', 'account_id'],
  ['challenge', 'challenges', 'consumed_at', 'account_id'],
  ['reset token', 'password_resets', 'used_at', 'account_id'],
  ['refresh token', 'refresh_tokens', 'rotated_at', 'session_id'],
] as const

/** The row of a challenge takes the next code in place of the one before it. */
const SAME_CODE = { email: 'new.code_hash = old.code_hash and ' } as Record<string, string>

const SESSION = "new.account_id || '|' || new.amr || '|' || new.acr || '|' || new.auth_time"

const NOTES: readonly Note[] = [
  ...SINGLE_USE.flatMap(([thing, table, column, owner]): Note[] => {
    const note = { event: 'update' as const, table, subject: `new.${owner}`, fact: `'${thing}'` }
    const changed = `${SAME_CODE[thing] ?? ''}new.${column} is distinct from old.${column}`
    return [
      { ...note, kind: 'spent', when: `old.${column} is null and new.${column} is not null` },
      { ...note, kind: 'revived', when: `old.${column} is not null and ${changed}` },
    ]
  }),
  ...(['>', '<'] as const).map(
    (sign): Note => ({
      kind: sign === '>' ? 'spent' : 'revived',
      event: 'update',
      table: 'totp_factors',
      when: `new.id = old.id and new.last_used_step ${sign} old.last_used_step`,
      subject: 'new.account_id',
      fact: "'totp'",
    }),
  ),
  {
    kind: 'revived',
    event: 'update',
    table: 'sessions',
    when: 'old.ended_at is not null and new.ended_at is null',
    subject: 'new.account_id',
    fact: "'session'",
  },
  { kind: 'session', event: 'insert', table: 'sessions', subject: 'new.id', fact: SESSION },
  {
    kind: 'session',
    event: 'update',
    table: 'sessions',
    when: 'new.auth_time <> old.auth_time or new.amr <> old.amr',
    subject: 'new.id',
    fact: SESSION,
  },
  {
    kind: 'refresh token',
    event: 'insert',
    table: 'refresh_tokens',
    subject: 'new.session_id',
    fact: 'new.token_hash',
  },
  {
    kind: 'event',
    event: 'insert',
    table: 'audit_events',
    subject: "coalesce(new.account_id, '')",
    fact: "new.event || ' ' || coalesce(new.method, '')",
  },
  {
    kind: 'reset',
    event: 'update',
    table: 'failure_counters',
    when: 'new.failures < old.failures - 1',
    subject: 'new.subject',
    fact: 'new.factor',
  },
  {
    kind: 'forgotten',
    event: 'delete',
    table: 'failure_counters',
    subject: 'old.subject',
    fact: 'old.factor',
  },
]

/** Has the database note what is done from now on. */
export function openLedger(db: Db): Promise<() => Promise<Entry[]>> {
  return db.getExecutor().adapter instanceof SqliteAdapter ? openTemporary(db) : openShared(db)
}

/** By triggers in a schema of their own, for all connections: which of them writes is a matter of chance. */
async function openShared(db: Db): Promise<() => Promise<Entry[]>> {
  const { rows } = await sql<{
    there: boolean
  }>`select to_regclass('ledger.entries') is not null as there`.execute(db)
  if (!rows[0]?.there) await db.executeQuery(CompiledQuery.raw(SHARED_LEDGER))
  const { rows: before } = await sql<{ seq: number }>`
    select coalesce(max(seq), 0) as seq from ledger.entries`.execute(db)
  return async () => {
    // Those of one transaction together, as if they had been done one transaction after the other.
    const { rows } = await sql<Entry>`
      select kind, subject, fact from ledger.entries where seq > ${before[0]?.seq ?? 0}
      order by min(seq) over (partition by done_by), seq`.execute(db)
    return rows
  }
}

const SHARED_LEDGER = [
  'create schema ledger',
  `create table ledger.entries (
    seq bigint generated always as identity, done_by bigint default txid_current(), kind text, subject text, fact text)`,
  ...NOTES.flatMap(({ kind, event, table, when = 'true', subject, fact }, index) => [
    `create function ledger.note_${index}() returns trigger language plpgsql as $$ begin
      insert into ledger.entries (kind, subject, fact) values ('${kind}', ${subject}, ${fact}); return null; end $$`,
    `create trigger note_${index} after ${event} on ${table} for each row when (${when})
      execute function ledger.note_${index}()`,
  ]),
].join(';\n')

/** By triggers that no other connection has and that end with this one. */
async function openTemporary(db: Db): Promise<() => Promise<Entry[]>> {
  await sql`create temp table ledger (seq integer primary key, kind text, subject text, fact text)`.execute(
    db,
  )
  for (const [index, { kind, event, table, when = 'true', subject, fact }] of NOTES.entries())
    await sql`create temp trigger ${sql.raw(`note_${index} after ${event} on main.${table} when ${when}`)} begin
      insert into ledger (kind, subject, fact) values (${sql.raw(`'${kind}', ${subject}, ${fact}`)}); end`.execute(
      db,
    )
  return async () => (await sql<Entry>`select kind, subject, fact from ledger order by seq`.execute(db)).rows
}
