import type { AuditTrail } from '../audit/trail.ts'
import type { Db } from '../platform/database.ts'
import type { FailureCounters } from '../sign-in/failure-counters.ts'
import type { Client } from '../tokens/sessions.ts'
import type { Account } from './account.ts'
import { deleteAccount } from './store.ts'

/** Deletes an account and everything that belongs to it; its tokens are dead at once. */
export type DeleteAccount = (account: Account, client: Client) => Promise<void>

export function makeDeleteAccount({
  db,
  failureCounters,
  trail,
}: {
  db: Db
  failureCounters: FailureCounters
  trail: AuditTrail
}): DeleteAccount {
  return (account, client) =>
    db.transaction().execute(async (trx) => {
      if (!(await deleteAccount(trx, account.id))) return
      await failureCounters.forget(trx, account.id)
      await trail.record(trx, 'account_deleted', { account }, client)
    })
}
