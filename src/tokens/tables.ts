import type { Generated } from 'kysely'
import { DAY_MS } from '../platform/clock.ts'
import { describeTable, type TableDescriptions } from '../platform/tables.ts'

declare module '../platform/tables.ts' {
  interface Tables {
    sessions: SessionsTable
    refresh_tokens: RefreshTokensTable
    signing_keys: SigningKeysTable
    hash_keys: HashKeysTable
    secret_keys: SecretKeysTable
    replicas: ReplicasTable
  }
}

/** A session, with the family of refresh tokens that grew from it. `id` is the `sid` claim. */
export interface SessionsTable {
  id: string
  account_id: string
  /** Methods used, separated by spaces: the `amr` claim. */
  amr: string
  acr: 'aal1' | 'aal2'
  auth_time: number
  /** When the password was shown last in this session. */
  password_at: number | null
  /** When a second factor was shown last, and since when the account has had it (0 for a recovery code). */
  factor_at: number | null
  factor_since: number | null
  /** Wrong answers to step-ups since the last right one. */
  step_up_attempts: Generated<number>
  created_at: number
  last_used_at: number
  /** When the session ends unless it is refreshed before. Never after `expires_at`. */
  idle_expires_at: number
  /** The absolute end, however the session is used. */
  expires_at: number
  ended_at: number | null
  /** When a refresh was answered again last. */
  refresh_repeated_at: number | null
  ip: string
  user_agent: string
  /** When the minute began in which refreshes are counted, and how many there were in it. */
  refreshes_since: number
  refreshes: number
}

export interface RefreshTokensTable {
  token_hash: string
  session_id: string
  created_at: number
  expires_at: number
  rotated_at: number | null
  /** When its use was first repeated, and answered again. */
  repeated_at: number | null
  /** Of the `Idempotency-Key` that the token was used with. */
  idempotency_key_hash: string | null
}

export interface SigningKeysTable {
  /** The `kid`. */
  id: string
  /** 1, 2, 3 … It is unique, so that only one of several processes makes the next key. */
  generation: number
  alg: 'ES256' | 'EdDSA' | 'RS256'
  public_jwk: string
  sealed_private_key: string
  created_at: number
}

export interface HashKeysTable {
  id: string
  sealed_key: string
  created_at: number
}

/** A key of `SECRET_KEY`, by its id, which has sealed values here. */
export interface SecretKeysTable {
  id: string
  sealing_since: number
}

/** A process that serves. */
export interface ReplicasTable {
  id: string
  instance: string
  version: string
  /** Separated by blanks; the first one seals. */
  key_ids: string
  seen_at: number
}

/** Binds the sealed key to its row: it opens with that id only. */
export function hashKeyContext(id: string): string {
  return `hash_keys:${id}`
}

/** Binds the sealed key to its row: it opens with that id only. */
export function signingKeyContext(id: string): string {
  return `signing_keys:${id}`
}

/** Keys belong to the service, not to an account. */
export const keyTables = {
  hash_keys: describeTable('hash_keys', {
    key: ['id'],
    sealed: { name: 'hash keys', column: 'sealed_key', context: ({ id }) => hashKeyContext(id) },
  }),
  signing_keys: describeTable('signing_keys', {
    key: ['id'],
    sealed: {
      name: 'signing keys',
      column: 'sealed_private_key',
      context: ({ id }) => signingKeyContext(id),
    },
  }),
  secret_keys: describeTable('secret_keys', { key: ['id'] }),
  replicas: describeTable('replicas', { key: ['id'], expiries: [{ column: 'seen_at', retention: DAY_MS }] }),
} satisfies TableDescriptions

/** A session may have very many of them. */
export const REFRESH_TOKENS = { table: 'refresh_tokens', key: 'token_hash', parent: 'session_id' } as const

export const sessionTables = {
  sessions: describeTable('sessions', {
    key: ['id'],
    person: { column: 'account_id' },
    expiries: [
      { column: 'ended_at', dependents: REFRESH_TOKENS },
      { column: 'idle_expires_at', dependents: REFRESH_TOKENS },
    ],
  }),
  refresh_tokens: describeTable('refresh_tokens', {
    key: ['token_hash'],
    secrets: ['token_hash', 'idempotency_key_hash'],
    person: { column: 'session_id', parent: 'sessions' },
    expiries: [{ column: 'expires_at' }],
  }),
} satisfies TableDescriptions
