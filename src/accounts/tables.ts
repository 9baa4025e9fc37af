import type { Generated } from 'kysely'
import { describeTable, type TableDescriptions } from '../platform/tables.ts'

declare module '../platform/tables.ts' {
  interface Tables {
    accounts: AccountsTable
    email_changes: EmailChangesTable
    password_resets: PasswordResetsTable
  }
}

export interface AccountsTable {
  id: string
  username: string
  /** The lower-case spelling; unique. */
  username_key: string
  email: string | null
  email_verified_at: number | null
  password_hash: string
  /** Changes only with the password itself, not with a rehash at a new cost. */
  password_set_at: number
  created_at: number
  disabled_at: number | null
  /**
   * When a stranger made it under `MFA_POLICY=required`, for as long as it has had neither a session nor a proven address
   * and no operator has done anything to it.
   */
  unenrolled_since: number | null
  /** An account token carries it, and is good for the next change only. */
  change_count: Generated<number>
  /** In order, with blanks between them; an operator alone sets them. */
  roles: Generated<string>
  /**
   * When its owner was last told of a sign-in from a network that was not the account's own; 0 where that never was, null
   * before its first full sign-in.
   */
  new_network_at: number | null
}

/** A new address that its owner has not proven yet. */
export interface EmailChangesTable {
  account_id: string
  address: string
  code_hash: string
  wrong_codes: number
  sent_at: number
  expires_at: number
  /** Of the link, where there is one. */
  token_hash: string | null
  /** The link is good only while this is `sent_at`: a process of the version before replaces the rest alone. */
  token_sent_at: number | null
  /** Who asked for it. */
  session_id: string | null
}

export interface PasswordResetsTable {
  token_hash: string
  account_id: string
  created_at: number
  expires_at: number
  used_at: number | null
}

export const accountTables = {
  accounts: describeTable('accounts', { key: ['id'], secrets: ['password_hash'], person: { column: 'id' } }),
  email_changes: describeTable('email_changes', {
    key: ['account_id'],
    secrets: ['code_hash', 'token_hash'],
    person: { column: 'account_id' },
    expiries: [{ column: 'expires_at' }],
  }),
  password_resets: describeTable('password_resets', {
    key: ['token_hash'],
    secrets: ['token_hash'],
    person: { column: 'account_id' },
    expiries: [{ column: 'expires_at' }],
  }),
} satisfies TableDescriptions
