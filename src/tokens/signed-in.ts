import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import { invalidToken } from '../errors.ts'
import type { Db, Trx } from '../platform/database.ts'
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
  db,
  sessions,
  accounts,
  mfaRequired,
}: {
  db: Db
  sessions: Sessions
  accounts: Accounts
  /** Whether a session of the password alone, from before it was required, is good for nothing. */
  mfaRequired: boolean
}): FindSignedIn {
  return async (claims) => {
    const session = await sessions.find(db, claims.sid)
    const account = session && (await accounts.byId(session.accountId))
    if (!account || account.disabled || account.id !== claims.sub)
      throw invalidToken('the session has ended or its account is gone')
    if (mfaRequired && !showsSecondFactor(session.amr))
      throw invalidToken('the session has shown no second factor, which is required now')
    return { account, session }
  }
}

/**
 * Asked again in the transaction of what a session is to change, with the account locked. The body of a request comes
 * after its guard, as late as its sender likes; until then the owner may have ended the session, also by adding a
 * factor which it has not shown.
 *
 * @returns the account as it stands.
 * @throws {AppError} invalid_token
 */
export type StillSignedIn = (trx: Trx, signedIn: SignedIn) => Promise<Account>

export function makeStillSignedIn({
  accounts,
  sessions,
}: {
  accounts: Accounts
  sessions: Sessions
}): StillSignedIn {
  return async (trx, { account: { id }, session }) => {
    const account = await accounts.present(trx, id)
    if (!(await sessions.find(trx, session.id))) throw invalidToken('the session has ended meanwhile')
    return account
  }
}
