import type { Actor, EventName, Outcome } from '../audit/events.ts'

/**
 * The rows of the database. Ids are UUIDv7 texts, times are epoch milliseconds, and a state that can be
 * dated is a nullable time instead of a flag: SQLite and PostgreSQL agree on these without translation.
 */
export interface Tables {
  accounts: AccountsTable
  challenges: ChallengesTable
  totp_factors: TotpFactorsTable
  recovery_codes: RecoveryCodesTable
  sessions: SessionsTable
  refresh_tokens: RefreshTokensTable
  signing_keys: SigningKeysTable
  hash_keys: HashKeysTable
  failure_counters: FailureCountersTable
  audit_events: AuditEventsTable
  email_codes: EmailCodesTable
  email_changes: EmailChangesTable
  password_resets: PasswordResetsTable
  outbox: OutboxTable
  mail_counts: MailCountsTable
}

export interface AccountsTable {
  id: string
  username: string
  /** The lower-case spelling; unique. */
  username_key: string
  email: string | null
  email_verified_at: number | null
  /** Since when codes to the address are a second factor of the account. */
  email_factor_at: number | null
  password_hash: string
  /** Changes only with the password itself, not with a rehash at a new cost. */
  password_set_at: number
  /** When a mailed token set it, until a factor other than the mailbox is shown. */
  password_by_mail_at: number | null
  created_at: number
  disabled_at: number | null
}

/** A password was right, a second factor is owed. `id` is the `jti` of the mfa token. */
export interface ChallengesTable {
  id: string
  account_id: string
  created_at: number
  expires_at: number
  wrong_codes: number
  consumed_at: number | null
}

export interface TotpFactorsTable {
  id: string
  account_id: string
  /** `pending` until a code confirms it, then `active`; at most one of each for an account. */
  state: 'pending' | 'active'
  sealed_secret: string
  /** The greatest time step a code of this factor was accepted for; that step and all before it are spent. */
  last_used_step: number
  created_at: number
  expires_at: number | null
  confirmed_at: number | null
}

export interface RecoveryCodesTable {
  id: string
  account_id: string
  code_hash: string
  created_at: number
  used_at: number | null
}

/** One login; the family of refresh tokens that grew from it. `id` is the `sid` claim. */
export interface SessionsTable {
  id: string
  account_id: string
  /** Methods used, separated by spaces: the `amr` claim. */
  amr: string
  acr: 'aal1' | 'aal2'
  auth_time: number
  created_at: number
  last_used_at: number
  /** When the session ends unless it is refreshed before; never after `expires_at`. */
  idle_expires_at: number
  /** The absolute end, whatever use is made of the session. */
  expires_at: number
  ended_at: number | null
  ip: string
  user_agent: string
}

export interface RefreshTokensTable {
  token_hash: string
  session_id: string
  created_at: number
  expires_at: number
  rotated_at: number | null
}

export interface SigningKeysTable {
  /** The `kid`. */
  id: string
  /** 1, 2, 3 …; unique, so that of several processes making the next key one wins. */
  generation: number
  alg: 'ES256' | 'EdDSA'
  public_jwk: string
  sealed_private_key: string
  created_at: number
}

export interface HashKeysTable {
  id: string
  sealed_key: string
  created_at: number
}

/** Consecutive failures of one factor of one subject. */
export interface FailureCountersTable {
  subject: string
  factor: string
  failures: number
  blocked_until: number
  last_failed_at: number
  /** When a try was right, if one ever was. */
  succeeded_at: number | null
}

/** What happened to whom, when and from where. Rows outlive their account. */
export interface AuditEventsTable {
  id: string
  at: number
  event: EventName
  outcome: Outcome
  actor: Actor
  method: string | null
  account_id: string | null
  session_id: string | null
  ip: string
  user_agent: string
  request_id: string
}

/** The latest code sent for a challenge. */
export interface EmailCodesTable {
  challenge_id: string
  account_id: string
  code_hash: string
  sent_at: number
  expires_at: number
  used_at: number | null
}

/** An address that its owner has yet to prove. */
export interface EmailChangesTable {
  account_id: string
  address: string
  code_hash: string
  wrong_codes: number
  sent_at: number
  expires_at: number
}

export interface PasswordResetsTable {
  token_hash: string
  account_id: string
  created_at: number
  expires_at: number
  used_at: number | null
}

/** Mail that is to go out; `sealed_message` is the whole of it. */
export interface OutboxTable {
  id: string
  sealed_message: string
  created_at: number
  attempts: number
  next_attempt_at: number
  /** Until when one process has it in hand. */
  claimed_until: number
}

/** Mails that were asked for, by whom or to where, since the first one that counts. */
export interface MailCountsTable {
  /** A keyed hash of an account or an address. */
  subject: string
  since: number
  mails: number
}
