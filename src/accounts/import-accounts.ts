import type { AuditTrail } from '../audit/trail.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import type { Client } from '../tokens/sessions.ts'
import type { KeepAuthenticators } from '../two-factor/keep-authenticators.ts'
import { insertAccounts } from './store.ts'

/** An account that comes from elsewhere with what its owner signs in with. Times are epoch milliseconds. */
export interface ImportedAccount {
  id: string
  username: string
  email: string | null
  emailVerifiedAt: number | null
  /** In a spelling that is stored here; it is made anew at the first login. */
  passwordHash: string
  /** Of an authenticator that is set up already. */
  totpSecret: Buffer | null
  createdAt: number
  disabledAt: number | null
}

/**
 * Takes accounts, each whole or not at all; those whose name or id is taken are left as they are.
 *
 * @returns the ids of those that were taken.
 */
export type ImportAccounts = (accounts: readonly ImportedAccount[], client: Client) => Promise<Set<string>>

export function makeImportAccounts({
  db,
  clock,
  keepAuthenticators,
  trail,
}: {
  db: Db
  clock: Clock
  keepAuthenticators: KeepAuthenticators
  trail: AuditTrail
}): ImportAccounts {
  return (accounts, client) =>
    db.transaction().execute(async (trx) => {
      const taken = new Set(await insertAccounts(trx, accounts, clock.now()))
      const ours = accounts.filter(({ id }) => taken.has(id))
      await keepAuthenticators(trx, ours)
      await trail.recordAll(trx, 'account_imported', ours, client)
      return taken
    })
}
