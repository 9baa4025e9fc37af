import type { Selectable } from 'kysely'
import { rolesIn } from '../values/roles.ts'
import type { AccountsTable } from './tables.ts'

/** An account that can sign in. */
export interface Account {
  id: string
  username: string
  email: string | null
  emailVerified: boolean
  passwordHash: string
  /** Epoch milliseconds; changes with the password, not with a rehash. */
  passwordSetAt: number
  createdAt: number
  disabled: boolean
  /** Whether a stranger made it and it is removed unless it is used. */
  provisional: boolean
  /** How many changes its owner has made with account tokens. */
  changeCount: number
  /** In order. */
  roles: string[]
  /** Epoch milliseconds of the last notice of a new network, 0 before one; `null` before the first full sign-in. */
  newNetworkAt: number | null
}

export function accountFromRow(row: Selectable<AccountsTable>): Account {
  return {
    id: row.id,
    username: row.username,
    email: row.email,
    emailVerified: row.email_verified_at !== null,
    passwordHash: row.password_hash,
    passwordSetAt: row.password_set_at,
    createdAt: row.created_at,
    disabled: row.disabled_at !== null,
    provisional: row.unenrolled_since !== null,
    changeCount: row.change_count,
    roles: rolesIn(row.roles),
    newNetworkAt: row.new_network_at,
  }
}
