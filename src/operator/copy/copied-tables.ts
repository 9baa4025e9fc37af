import type { Tables } from '../../platform/tables.ts'

/**
 * Every table with the columns of its primary key; those that others point to come before them. The hash key is the
 * first: a database has made its own, so by it two copies of one database are known from two databases.
 */
export const copiedTables = {
  hash_keys: ['id'],
  signing_keys: ['id'],
  accounts: ['id'],
  challenges: ['id'],
  totp_factors: ['id'],
  recovery_codes: ['id'],
  sessions: ['id'],
  refresh_tokens: ['token_hash'],
  failure_counters: ['subject', 'factor'],
  audit_events: ['id'],
  email_codes: ['challenge_id'],
  email_changes: ['account_id'],
  password_resets: ['token_hash'],
  outbox: ['id'],
  mail_counts: ['subject'],
} satisfies { [T in keyof Tables]: readonly (keyof Tables[T] & string)[] }

export const copiedTableNames = Object.keys(copiedTables) as (keyof Tables)[]
