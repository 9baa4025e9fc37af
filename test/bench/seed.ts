import BetterSqlite3 from 'better-sqlite3'
import { from } from '../../src/attempts/subjects.ts'
import { totpSecretContext } from '../../src/factors/totp/tables.ts'
import { inTransaction } from '../../src/platform/database.ts'
import { sqlitePath } from '../../src/platform/sqlite-files.ts'
import type { Service as Parts } from '../../src/service.ts'

/** The same for all seeded accounts: hashing each would take hours, and no answer shows it. */
export const PASSWORD = 'correct horse battery'
/** 160 bits; the same for all seeded accounts, sealed for each. */
export const TOTP_SECRET = Buffer.from('12345678901234567890')

const KINDS = { account: 1, factor: 2, session: 3, challenge: 4, event: 5, recovery: 6, passkey: 7 }

export interface Seeding {
  accounts: number
  sessionsEach: number
  /** Only every so manieth account can be used; the rows of the others are as long, and sealed under no key. */
  usableEvery?: number
}

/**
 * Fills a migrated database with accounts as the service would have written them: enrolled, with ten recovery
 * codes, and for each session, all from one network, a refresh token and an audit event. Some hundred thousand rows a
 * second.
 */
export async function seedAccounts(deps: Parts, seeding: Seeding): Promise<void> {
  const { accounts, sessionsEach, usableEvery = 1 } = seeding
  const phc = await deps.passwords.hash(PASSWORD)
  const sqlite = openForSeeding(deps)
  const now = deps.clock.now()

  // Ids that sort by number, as those of the service sort by time.
  sqlite.function('row_id', { deterministic: true }, rowId as (...args: unknown[]) => string)
  sqlite.function('is_usable', { deterministic: true }, (n) => (Number(n) % usableEvery === 0 ? 1 : 0))
  sqlite.function('sealed', (account, factor) =>
    deps.box.seal(TOTP_SECRET, totpSecretContext(String(account), String(factor))),
  )
  sqlite.function('network_of', (n) => from(deps.keyedHash, `user${n}`, '127.0.0.1'))
  sqlite.function('token_hash', (n) => deps.keyedHash('refresh token', refreshTokenOf(Number(n))))
  const sealedLength = deps.box.seal(TOTP_SECRET, 'x').length

  const numbers = (count: number) =>
    `with recursive numbers (n) as (select 0 union all select n + 1 from numbers where n < ${count - 1})`
  const run = (sql: string, values: object = {}) => sqlite.prepare(sql).run({ now, ...values })

  sqlite.transaction(() => {
    run(
      `insert into accounts (id, username, username_key, password_hash, password_set_at, created_at)
       ${numbers(accounts)} select row_id(${KINDS.account}, n), 'user' || n, 'user' || n, @phc, @now, @now
       from numbers order by n`,
      { phc },
    )
    run(
      `insert into totp_factors (id, account_id, state, sealed_secret, last_used_step, created_at, confirmed_at, name)
       ${numbers(accounts)} select row_id(${KINDS.factor}, n), row_id(${KINDS.account}, n), 'active',
         iif(is_usable(n), sealed(row_id(${KINDS.account}, n), row_id(${KINDS.factor}, n)),
           hex(randomblob(${Math.floor(sealedLength / 2)}))), 0, @now, @now, 'Authenticator'
       from numbers`,
    )
    run(
      `insert into recovery_codes (id, account_id, code_hash, created_at)
       ${numbers(accounts * 10)} select row_id(${KINDS.recovery}, n), row_id(${KINDS.account}, n / 10),
         substr(hex(randomblob(22)), 1, 43), @now from numbers`,
    )
  })()
  if (sessionsEach > 0) seedSessions(accounts * sessionsEach)
  // On the disk before anything is measured, and not with the first commit that is.
  sqlite.pragma('synchronous = FULL')
  sqlite.pragma('wal_checkpoint(truncate)')
  sqlite.close()

  function seedSessions(sessions: number): void {
    const year = 365 * 24 * 3600 * 1000
    sqlite.transaction(() => {
      run(
        `insert into sessions (id, account_id, amr, acr, auth_time, created_at, last_used_at, idle_expires_at,
           expires_at, ip, user_agent)
         ${numbers(sessions)} select row_id(${KINDS.session}, n), row_id(${KINDS.account}, n / ${sessionsEach}),
           'pwd otp mfa', 'aal2', @now, @now, @now, @now + ${year}, @now + ${year}, '127.0.0.1',
           'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0' from numbers`,
      )
      run(
        `insert into own_networks (subject, account_id, signed_in_at)
         ${numbers(accounts)} select iif(is_usable(n), network_of(n), substr(hex(randomblob(22)), 1, 43)) as subject,
           row_id(${KINDS.account}, n), @now from numbers order by subject`,
      )
      run(
        `insert into refresh_tokens (token_hash, session_id, created_at, expires_at)
         ${numbers(sessions)} select iif(is_usable(n / ${sessionsEach}), token_hash(n),
           substr(hex(randomblob(22)), 1, 43)) as hash, row_id(${KINDS.session}, n), @now, @now + ${year}
         from numbers order by hash`,
      )
      run(
        `insert into audit_events (id, at, event, outcome, account_id, session_id, ip, user_agent, request_id)
         ${numbers(sessions)} select row_id(${KINDS.event}, n), @now, 'session_started', 'success',
           row_id(${KINDS.account}, n / ${sessionsEach}), row_id(${KINDS.session}, n), '127.0.0.1',
           'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0', row_id(0, n)
         from numbers`,
      )
    })()
  }
}

/** Challenges of seeded accounts, as their logins would have left them. @returns their mfa tokens. */
export async function seedChallenges(deps: Parts, accountNumbers: readonly number[]): Promise<string[]> {
  const createdAt = Math.floor(deps.clock.now() / 1000) * 1000
  const expiresAt = createdAt + deps.config.mfaTokenTtl * 1000
  const challenges = accountNumbers.map((n) => ({
    id: rowId(KINDS.challenge, challengesMade++),
    accountId: accountId(n),
    createdAt,
    expiresAt,
  }))
  const rows = challenges.map(({ id, accountId }) => ({
    id,
    account_id: accountId,
    created_at: createdAt,
    expires_at: expiresAt,
    wrong_codes: 0,
  }))
  await inTransaction(deps.db, async (trx) => {
    for (let from = 0; from < rows.length; from += ROWS_AT_ONCE)
      await trx
        .insertInto('challenges')
        .values(rows.slice(from, from + ROWS_AT_ONCE))
        .execute()
  })
  return challenges.map((challenge) => deps.mfaTokens.issue(challenge))
}

/** The id of the credential of an account. */
export const passkeyIdOf = (n: number) => Buffer.from(`passkey of account ${n}`).toString('base64url')

/** Gives accounts a passkey each, if they have none. */
export async function seedPasskeys(
  { db, relyingParty }: Parts,
  accountNumbers: readonly number[],
  passkey: { publicKey: Buffer },
): Promise<void> {
  const rows = [...new Set(accountNumbers)].map((n) => ({
    id: rowId(KINDS.passkey, n),
    account_id: accountId(n),
    credential_id: passkeyIdOf(n),
    public_key: passkey.publicKey.toString('base64url'),
    rp_id: relyingParty.id,
    name: 'Passkey',
    transports: 'internal',
    sign_count: 0,
    backup_eligible: 0,
    backed_up: 0,
    created_at: 0,
    last_used_at: null,
    removed_at: null,
  }))
  await inTransaction(db, async (trx) => {
    for (let from = 0; from < rows.length; from += ROWS_AT_ONCE)
      await trx
        .insertInto('passkeys')
        .values(rows.slice(from, from + ROWS_AT_ONCE))
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute()
  })
}

const ROWS_AT_ONCE = 500

let challengesMade = 0

/** A UUIDv7 of its own for each kind and number. */
function rowId(kind: number, n: number): string {
  const time = (1_700_000_000_000 + Number(n)).toString(16).padStart(12, '0')
  const [k, tail] = [Number(kind).toString(16).padStart(3, '0'), Number(n).toString(16).padStart(12, '0')]
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8${k}-${tail}`
}

export const accountId = (n: number) => rowId(KINDS.account, n)
export const sessionId = (n: number) => rowId(KINDS.session, n)

/** The refresh token of a seeded session: 256 bits in base64url, like those of the service. */
export function refreshTokenOf(session: number): string {
  return Buffer.alloc(32, `session ${session} `).toString('base64url')
}

function openForSeeding({ config }: Parts): BetterSqlite3.Database {
  const sqlite = new BetterSqlite3(sqlitePath(config.databaseUrl), { timeout: 10_000 })
  sqlite.pragma('synchronous = OFF')
  sqlite.pragma('cache_size = -1000000')
  sqlite.pragma('temp_store = MEMORY')
  return sqlite
}
