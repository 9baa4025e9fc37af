import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { AuditTrail } from '../audit/trail.ts'
import { notEnrolled } from '../errors.ts'
import type { Db } from '../platform/database.ts'
import type { FailureCounters } from '../sign-in/failure-counters.ts'
import type { Client } from '../tokens/sessions.ts'
import type { Factors } from './factors.ts'
import type { RecoveryCodes } from './recovery-codes.ts'

/**
 * Makes ten new recovery codes; all earlier ones are void, in the same transaction.
 *
 * @throws {AppError} not_enrolled
 */
export type RenewRecoveryCodes = (account: Account, client: Client) => Promise<string[]>

export function makeRenewRecoveryCodes({
  db,
  accounts,
  factors,
  failureCounters,
  recoveryCodes,
  trail,
}: {
  db: Db
  accounts: Accounts
  factors: Factors
  failureCounters: FailureCounters
  recoveryCodes: RecoveryCodes
  trail: AuditTrail
}): RenewRecoveryCodes {
  return ({ id }, client) =>
    db.transaction().execute(async (trx) => {
      const account = await accounts.present(trx, id)
      if (!(await factors.of(trx, account)).enrolled) throw notEnrolled()
      // New codes in the place of those that were guessed at: their counter begins anew.
      await failureCounters.succeed(trx, account.id, 'recovery_code')
      await trail.record(trx, 'recovery_codes_renewed', { account }, client)
      return recoveryCodes.renew(trx, account.id)
    })
}
