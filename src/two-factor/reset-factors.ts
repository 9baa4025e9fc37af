import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { Db } from '../platform/database.ts'
import type { Challenges } from '../sign-in/challenges.ts'
import type { FailureCounters } from '../sign-in/failure-counters.ts'
import type { Client, Sessions } from '../tokens/sessions.ts'
import { deleteFactors } from './store.ts'

/**
 * Takes every second factor and recovery code from the account of somebody who has lost them all, whatever the
 * policy: the next sign-in sets up a new one. What was signed in with the old ones ends.
 */
export type ResetFactors = (account: Account, client: Client) => Promise<void>

export function makeResetFactors({
  db,
  accounts,
  challenges,
  failureCounters,
  sessions,
  trail,
}: {
  db: Db
  accounts: Accounts
  challenges: Challenges
  failureCounters: FailureCounters
  sessions: Sessions
  trail: AuditTrail
}): ResetFactors {
  return ({ id }, client) =>
    db.transaction().execute(async (trx) => {
      const account = await accounts.lock(trx, id)
      if (!account) return
      await deleteFactors(trx, account.id)
      await accounts.dropEmailFactor(trx, account.id)
      // The counters are of factors that are gone (NIST SP 800-63B-4 section 3.2.2).
      await failureCounters.forget(trx, account.id)
      await challenges.endAll(trx, account.id)
      await sessions.endAll(trx, account.id)
      await trail.record(trx, 'factors_reset', { account }, client)
    })
}
