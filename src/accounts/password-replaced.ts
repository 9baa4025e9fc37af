import type { Caller } from '../caller.ts'
import type { Trx } from '../platform/database.ts'
import { endPauses } from '../sign-in/unlock.ts'
import type { Account } from './account.ts'
import { voidPasswordResets } from './password-reset-store.ts'
import type { AccountsRoom } from './room.ts'

/**
 * What goes with the old password: reset tokens, sign-ins under way, pauses, and every network of the account but the
 * present one. Sessions are left to the caller.
 */
export async function passwordReplaced(
  room: AccountsRoom,
  trx: Trx,
  account: Account,
  caller: Caller,
): Promise<void> {
  const { challenges, clock, ownNetworks } = room
  await voidPasswordResets(trx, account.id, clock.now())
  await challenges.endAll(trx, account.id)
  await endPauses(room, trx, account)
  await ownNetworks.forgetOthers(trx, account, caller)
}
