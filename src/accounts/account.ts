import type { Selectable } from 'kysely'
import { rfc3339 } from '../platform/clock.ts'
import type { AccountsTable } from '../platform/tables.ts'

/** Somebody who can sign in. */
export interface Account {
  id: string
  username: string
  email: string | null
  emailVerified: boolean
  /** Whether codes to the address have been used as a second factor. */
  emailIsFactor: boolean
  passwordHash: string
  /** Epoch milliseconds; changes with the password, not with a rehash. */
  passwordSetAt: number
  /** A mailed token set the password, and no factor but the mailbox was shown since: it must not be both doors. */
  passwordByMail: boolean
  createdAt: number
  disabled: boolean
}

export function accountFromRow(row: Selectable<AccountsTable>): Account {
  return {
    id: row.id,
    username: row.username,
    email: row.email,
    emailVerified: row.email_verified_at !== null,
    emailIsFactor: row.email_factor_at !== null,
    passwordHash: row.password_hash,
    passwordSetAt: row.password_set_at,
    passwordByMail: row.password_by_mail_at !== null,
    createdAt: row.created_at,
    disabled: row.disabled_at !== null,
  }
}

/** What the account's owner sees of it. */
export interface User {
  id: string
  username: string
  email: string | null
  email_verified: boolean
  two_factor_enabled: boolean
  created_at: string
}

export function userOf(account: Account, twoFactorEnabled: boolean): User {
  return {
    id: account.id,
    username: account.username,
    email: account.email,
    email_verified: account.emailVerified,
    two_factor_enabled: twoFactorEnabled,
    created_at: rfc3339(account.createdAt),
  }
}
