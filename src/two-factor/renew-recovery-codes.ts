import type { AuditTrail } from '../audit/trail.ts'
import { notEnrolled } from '../errors.ts'
import type { Db } from '../platform/database.ts'
import type { FailureCounters } from '../sign-in/failure-counters.ts'
import type { Client, SignedIn } from '../tokens/sessions.ts'
import type { StillSignedIn } from '../tokens/signed-in.ts'
import type { Factors } from './factors.ts'
import type { RecoveryCodes } from './recovery-codes.ts'

/**
 * Makes ten new recovery codes; all earlier ones are void, in the same transaction.
 *
 * @throws {AppError} not_enrolled
 */
export type RenewRecoveryCodes = (signedIn: SignedIn, client: Client) => Promise<string[]>

export function makeRenewRecoveryCodes({
  db,
  stillSignedIn,
  factors,
  failureCounters,
  recoveryCodes,
  trail,
}: {
  db: Db
  stillSignedIn: StillSignedIn
  factors: Factors
  failureCounters: FailureCounters
  recoveryCodes: RecoveryCodes
  trail: AuditTrail
}): RenewRecoveryCodes {
  return (signedIn, client) =>
    db.transaction().execute(async (trx) => {
      const account = await stillSignedIn(trx, signedIn)
      if (!(await factors.of(trx, account)).enrolled) throw notEnrolled()
      // New codes in the place of those that were guessed at: their counter begins anew.
      await failureCounters.succeed(trx, account.id, 'recovery_code')
      await trail.record(trx, 'recovery_codes_renewed', { account }, client)
      return recoveryCodes.renew(trx, account.id)
    })
}
