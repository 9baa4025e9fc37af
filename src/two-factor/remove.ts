import type { Accounts } from '../accounts/accounts.ts'
import type { AuditTrail } from '../audit/trail.ts'
import { twoFactorRequired } from '../errors.ts'
import type { Db } from '../platform/database.ts'
import type { Client, Sessions, SignedIn } from '../tokens/sessions.ts'
import type { StillSignedIn } from '../tokens/signed-in.ts'
import type { Factors } from './factors.ts'
import { deleteFactors } from './store.ts'

/**
 * Takes every second factor from an account. Its sessions go on, as sure as its password.
 *
 * @throws {AppError} two_factor_required where everybody must have one.
 */
export type RemoveFactors = (signedIn: SignedIn, client: Client) => Promise<void>

export function makeRemoveFactors({
  db,
  accounts,
  stillSignedIn,
  factors,
  sessions,
  trail,
  mfaRequired,
}: {
  db: Db
  accounts: Accounts
  stillSignedIn: StillSignedIn
  factors: Factors
  sessions: Sessions
  trail: AuditTrail
  mfaRequired: boolean
}): RemoveFactors {
  return async (signedIn, client) => {
    if (mfaRequired) throw twoFactorRequired()
    await db.transaction().execute(async (trx) => {
      const account = await stillSignedIn(trx, signedIn)
      const { enrolled } = await factors.of(trx, account)
      await deleteFactors(trx, account.id)
      await accounts.dropEmailFactor(trx, account.id)
      await sessions.weaken(trx, account.id)
      if (enrolled) await trail.record(trx, 'factor_removed', { account }, client)
    })
  }
}
