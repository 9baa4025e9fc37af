import type { Accounts } from '../accounts/accounts.ts'
import { invalidToken } from '../errors.ts'
import { type Db, readTogether, type Trx } from '../platform/database.ts'
import { together } from '../platform/together.ts'
import type { AccessClaims } from './access-token.ts'
import { showsSecondFactor } from './assurance.ts'
import type { SignedIn } from './session.ts'
import type { Sessions } from './sessions.ts'

/**
 * Finds the session and the account of an access token. When the session has ended, or the account is disabled or
 * deleted, the token is dead at once on this service, whatever its claims say.
 *
 * @param mfaRequired whether to refuse sessions from before a second factor was required, which have shown only the
 * password.
 * @throws {AppError} invalid_token
 */
export async function findSignedIn(
  {
    db,
    sessions,
    accounts,
    mfaRequired,
  }: { db: Db; sessions: Sessions; accounts: Accounts; mfaRequired: boolean },
  claims: Pick<AccessClaims, 'sid' | 'sub'>,
): Promise<SignedIn> {
  const [session, account] = await readTogether(db, (db) =>
    together(sessions.find(db, claims.sid), accounts.byId(claims.sub, db)),
  )
  if (!session || !account || account.disabled || account.id !== session.accountId)
    throw invalidToken('the session has ended or its account is gone', 'ended')
  if (mfaRequired && !showsSecondFactor(session.amr))
    throw invalidToken('the session has shown no second factor, which is required now')
  return { account, session }
}

/**
 * Asked again in the transaction that changes something for a session, with the account locked. The body of a request
 * comes after its guard, as late as its sender likes. Meanwhile the owner may have ended the session, also by adding
 * a factor that it has not shown.
 *
 * @returns both as they are now.
 * @throws {AppError} invalid_token
 */
export async function stillSignedIn(
  { accounts, sessions }: { accounts: Accounts; sessions: Sessions },
  trx: Trx,
  signedIn: SignedIn,
): Promise<SignedIn> {
  const [account, session] = await together(
    accounts.present(trx, signedIn.account.id),
    sessions.find(trx, signedIn.session.id),
  )
  if (!session) throw invalidToken('the session has ended meanwhile', 'ended')
  return { account, session }
}
