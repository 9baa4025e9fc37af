import type { Accounts } from '../accounts/accounts.ts'
import { invalidToken } from '../errors.ts'
import type { AccessClaims } from './access-token.ts'
import { showsSecondFactor } from './assurance.ts'
import type { Sessions, SignedIn } from './sessions.ts'

/**
 * An access token is as good as its session: with the session ended, or the account disabled or deleted, it is
 * dead at once on this service, whatever its claims say.
 *
 * @throws {AppError} invalid_token
 */
export type FindSignedIn = (claims: AccessClaims) => Promise<SignedIn>

export function makeFindSignedIn({
  sessions,
  accounts,
  mfaRequired,
}: {
  sessions: Sessions
  accounts: Accounts
  /** Whether a session of the password alone, from before it was required, is good for nothing. */
  mfaRequired: boolean
}): FindSignedIn {
  return async (claims) => {
    const session = await sessions.find(claims.sid)
    const account = session && (await accounts.byId(session.accountId))
    if (!account || account.disabled || account.id !== claims.sub)
      throw invalidToken('the session has ended or its account is gone')
    if (mfaRequired && !showsSecondFactor(session.amr))
      throw invalidToken('the session has shown no second factor, which is required now')
    return { account, session }
  }
}
