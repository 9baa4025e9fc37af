import type { Caller } from '../caller.ts'
import { oweEnrolmentCodes } from '../factors/enrolment-code.ts'
import { inTransaction } from '../platform/database.ts'
import type { ImportedAccount } from './imported-account.ts'
import type { AccountsRoom } from './room.ts'
import { insertAccounts } from './store.ts'

/**
 * Imports accounts, each completely or not at all. Accounts whose name or id is taken are left out.
 *
 * @returns the ids of the imported accounts.
 */
export async function importAccounts(
  room: AccountsRoom,
  accounts: readonly ImportedAccount[],
  caller: Caller,
): Promise<ReadonlySet<string>> {
  const { clock, db, factors, trail } = room
  return inTransaction(db, async (trx) => {
    const taken = new Set(await insertAccounts(trx, accounts, clock.now()))
    const ours = accounts.filter(({ id }) => taken.has(id))
    for (const { method, portable } of factors.all)
      await portable?.keep(
        room,
        trx,
        ours.flatMap(({ id, secrets }) => {
          const secret = secrets[method]
          return secret ? [{ accountId: id, secret }] : []
        }),
      )
    const codes = ours.flatMap(({ id, enrolmentCode: code }) => (code ? [{ accountId: id, code }] : []))
    await oweEnrolmentCodes(room, trx, codes)
    await trail.recordAll(trx, 'account_imported', ours, caller)
    return taken
  })
}
