import type { AuditTrail } from '../audit/trail.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import type { Challenges } from '../sign-in/challenges.ts'
import type { Client, Sessions } from '../tokens/sessions.ts'
import type { Account } from './account.ts'
import { voidPasswordResets } from './password-reset-store.ts'
import { closeAccount, openAccount } from './store.ts'

/** A closed account signs in nowhere until it is opened again, which revives nothing of before. */
export interface CloseAccount {
  /** Ends its sessions, and every sign-in and reset under way. @returns whether it was open. */
  close(account: Account, client: Client): Promise<boolean>
  /** @returns whether it was closed. */
  open(account: Account, client: Client): Promise<boolean>
}

export function makeCloseAccount({
  db,
  clock,
  challenges,
  sessions,
  trail,
}: {
  db: Db
  clock: Clock
  challenges: Challenges
  sessions: Sessions
  trail: AuditTrail
}): CloseAccount {
  return {
    close: (account, client) =>
      db.transaction().execute(async (trx) => {
        if (!(await closeAccount(trx, account.id, clock.now()))) return false
        await challenges.endAll(trx, account.id)
        await sessions.endAll(trx, account.id)
        await voidPasswordResets(trx, account.id, clock.now())
        await trail.record(trx, 'account_disabled', { account }, client)
        return true
      }),

    open: (account, client) =>
      db.transaction().execute(async (trx) => {
        if (!(await openAccount(trx, account.id))) return false
        await trail.record(trx, 'account_enabled', { account }, client)
        return true
      }),
  }
}
