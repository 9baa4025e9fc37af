import type { Static } from 'typebox'
import { rfc3339 } from '../platform/clock.ts'
import type { Account } from './account.ts'
import type { UserSchema } from './schemas.ts'

/** An account as its owner sees it. */
export type User = Static<typeof UserSchema>

export function userOf(account: Account, twoFactorEnabled: boolean): User {
  return {
    id: account.id,
    username: account.username,
    email: account.email,
    email_verified: account.emailVerified,
    two_factor_enabled: twoFactorEnabled,
    roles: account.roles,
    created_at: rfc3339(account.createdAt),
  }
}
