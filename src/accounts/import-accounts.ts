import type { Caller } from '../caller.ts'
import { oweEnrolmentCodes } from '../factors/enrolment-code.ts'
import { inTransaction } from '../platform/database.ts'
import type { ImportedAccount } from './imported-account.ts'
import type { AccountsRoom } from './room.ts'
import { insertAccounts } from './store.ts'

/**
 * Imports accounts, each completely or not at all. Accounts whose name or id is taken are left out.
 *
 * @param owing whether accounts that come without a factor owe an enrolment code.
 * @returns the ids of the imported accounts, each with its enrolment code or `null`.
 */
export async function importAccounts(
  room: AccountsRoom,
  accounts: readonly ImportedAccount[],
  caller: Caller,
  { owing = false }: { owing?: boolean } = {},
): Promise<Map<string, string | null>> {
  const { clock, db, factors, trail } = room
  return inTransaction(db, async (trx) => {
    const taken = new Map<string, string | null>()
    for (const id of await insertAccounts(trx, accounts, clock.now())) taken.set(id, null)
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
    const bare = owing ? ours.filter(({ secrets }) => Object.keys(secrets).length === 0) : []
    const ids = bare.map(({ id }) => id)
    for (const [index, code] of (await oweEnrolmentCodes(room, trx, ids)).entries())
      taken.set(ids[index] as string, code)
    await trail.recordAll(trx, 'account_imported', ours, caller)
    return taken
  })
}
