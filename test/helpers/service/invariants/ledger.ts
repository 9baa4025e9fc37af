import { CompiledQuery, SqliteAdapter, sql } from 'kysely'
import { type Db, inTransaction } from '../../../../src/platform/database.ts'
import { factorRules } from './factors.ts'

/**
 * Something that a connection did to the tables. What was rolled back is not in the ledger; what a later change
 * takes back is.
 */
export interface Entry {
  kind: 'spent' | 'revived' | 'session' | 'refresh token' | 'event' | 'reset' | 'forgotten' | 'written'
  /** Whose: an account, a session, or the subject of a counter. */
  subject: string
  fact: string
  /** In epoch milliseconds of this machine's clock. */
  at: number
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
const SINGLE_USE: readonly (readonly [thing: string, table: string, column: string, owner: string])[] = [
  ...factorRules.flatMap(({ method, singleUse }) =>
    singleUse ? [[method, ...singleUse, 'account_id'] as const] : [],
  ),
  ['challenge', 'challenges', 'consumed_at', 'account_id'],
  ['reset token', 'password_resets', 'used_at', 'account_id'],
  ['refresh token', 'refresh_tokens', 'rotated_at', 'session_id'],
]

/** The row of a challenge takes the next code in place of the one before it. */
const SAME_CODE = { email: 'new.code_hash = old.code_hash and ' } as Record<string, string>

/** What a session has shown: read by `shownIn`. */
const SESSION = ['account_id', 'amr', 'acr', 'auth_time', 'password_at', 'factor_at']
  .map((column) => `coalesce(cast(new.${column} as text), '')`)
  .join(" || '|' || ")

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
      // Where the clock was ahead, a step that is spent is not the greatest one.
      when: `new.id = old.id and (new.last_used_step ${sign} old.last_used_step
        ${sign === '>' ? 'or new.other_steps <> old.other_steps' : ''})`,
      subject: 'new.account_id',
      fact: "'totp'",
    }),
  ),
  {
    kind: 'spent',
    event: 'insert',
    table: 'spent_passkey_challenges',
    subject: 'new.account_id',
    fact: "'passkey'",
  },
  {
    kind: 'revived',
    event: 'update',
    table: 'passkeys',
    // One that may be copied does not count.
    when: `(old.removed_at is not null and new.removed_at is distinct from old.removed_at)
      or (new.backup_eligible = 0 and new.sign_count < old.sign_count)`,
    subject: 'new.account_id',
    fact: "'passkey'",
  },
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
    // A password that has to be shown again was not shown.
    when: ['auth_time', 'amr', 'acr', 'factor_at']
      .map((column) => `new.${column} is distinct from old.${column}`)
      .concat('new.password_at is not null and new.password_at is distinct from old.password_at')
      .join(' or '),
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
  // What a rule finds in a row at the end is laid to who wrote the row last.
  ...(['sessions', 'totp_factors', 'challenges', 'failure_counters'] as const).flatMap((table) =>
    (['insert', 'update'] as const).map(
      (event): Note => ({
        kind: 'written',
        event,
        table,
        subject: table === 'failure_counters' ? "new.subject || ' ' || new.factor" : 'new.id',
        fact: `'${table}'`,
      }),
    ),
  ),
]

/** What a session has shown, as an entry has it; times as digits, or empty. */
export interface ShownInSession {
  account: string
  amr: string
  acr: string
  authTime: string
  passwordAt: string
  factorAt: string
}

export function shownIn({ fact }: Pick<Entry, 'fact'>): ShownInSession {
  const [account = '', amr = '', acr = '', authTime = '', passwordAt = '', factorAt = ''] = fact.split('|')
  return { account, amr, acr, authTime, passwordAt, factorAt }
}

/** Has the database note what is done from now on. */
export function openLedger(db: Db): Promise<() => Promise<Entry[]>> {
  return db.getExecutor().adapter instanceof SqliteAdapter ? openTemporary(db) : openShared(db)
}

/** By triggers in a schema of their own, for all connections: which of them writes is a matter of chance. */
async function openShared(db: Db): Promise<() => Promise<Entry[]>> {
  const { rows } = await sql<{
    there: boolean
  }>`select to_regclass('ledger.entries') is not null as there`.execute(db)
  // Many statements at once are possible in a transaction alone.
  if (!rows[0]?.there) await inTransaction(db, (trx) => trx.executeQuery(CompiledQuery.raw(SHARED_LEDGER)))
  const { rows: before } = await sql<{ seq: number }>`
    select coalesce(max(seq), 0) as seq from ledger.entries`.execute(db)
  return async () => {
    // Those of one transaction together, as if they had been done one transaction after the other.
    const { rows } = await sql<Entry>`
      select kind, subject, fact, at from ledger.entries where seq > ${before[0]?.seq ?? 0}
      order by min(seq) over (partition by done_by), seq`.execute(db)
    return rows
  }
}

const SHARED_LEDGER = [
  'create schema ledger',
  `create table ledger.entries (
    seq bigint generated always as identity, done_by bigint default txid_current(), kind text, subject text, fact text,
    at double precision default extract(epoch from clock_timestamp()) * 1000)`,
  ...NOTES.flatMap(({ kind, event, table, when = 'true', subject, fact }, index) => [
    `create function ledger.note_${index}() returns trigger language plpgsql as $$ begin
      insert into ledger.entries (kind, subject, fact) values ('${kind}', ${subject}, ${fact}); return null; end $$`,
    `create trigger note_${index} after ${event} on ${table} for each row when (${when})
      execute function ledger.note_${index}()`,
  ]),
].join(';\n')

/** By triggers that no other connection has and that end with this one. */
async function openTemporary(db: Db): Promise<() => Promise<Entry[]>> {
  await sql`create temp table ledger (seq integer primary key, kind text, subject text, fact text, at real)`.execute(
    db,
  )
  for (const [index, { kind, event, table, when = 'true', subject, fact }] of NOTES.entries())
    await sql`create temp trigger ${sql.raw(`note_${index} after ${event} on main.${table} when ${when}`)} begin
      insert into ledger (kind, subject, fact, at)
      values (${sql.raw(`'${kind}', ${subject}, ${fact}`)}, unixepoch('subsec') * 1000); end`.execute(db)
  return async () =>
    (await sql<Entry>`select kind, subject, fact, at from ledger order by seq`.execute(db)).rows
}
