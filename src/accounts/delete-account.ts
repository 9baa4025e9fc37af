import type { AuditTrail } from '../audit/trail.ts'
import type { Db } from '../platform/database.ts'
import type { FailureCounters } from '../sign-in/failure-counters.ts'
import type { Client, Session } from '../tokens/sessions.ts'
import type { StillSignedIn } from '../tokens/signed-in.ts'
import type { Account } from './account.ts'
import { deleteAccount } from './store.ts'

/**
 * Deletes an account and everything that belongs to it; its tokens are dead at once.
 *
 * @param who with a session when its owner asks for it.
 * @throws {AppError} invalid_token
 */
export type DeleteAccount = (who: { account: Account; session?: Session }, client: Client) => Promise<void>

export function makeDeleteAccount({
  db,
  stillSignedIn,
  failureCounters,
  trail,
}: {
  db: Db
  stillSignedIn: StillSignedIn
  failureCounters: FailureCounters
  trail: AuditTrail
}): DeleteAccount {
  return ({ account, session }, client) =>
    db.transaction().execute(async (trx) => {
      if (session) await stillSignedIn(trx, { account, session })
      if (!(await deleteAccount(trx, account.id))) return
      await failureCounters.forget(trx, account.id)
      await trail.record(trx, 'account_deleted', { account }, client)
    })
}
