import type { Caller } from '../caller.ts'
import { voidMailedEnrolmentCode } from '../factors/enrolment-code.ts'
import { inTransaction } from '../platform/database.ts'
import type { Account } from './account.ts'
import { replaceAddress } from './change-email.ts'
import { deleteEmailChange } from './email-change-store.ts'
import type { AccountsRoom } from './room.ts'

/**
 * Gives an account an address that an operator has checked. What the old mailbox could open ends: its tokens and
 * enrolment code, a change of the address under way, and every session. The old mailbox and the new one are told.
 *
 * @returns whether the account is still there.
 */
export async function setEmail(
  room: AccountsRoom,
  known: Account,
  address: string,
  caller: Caller,
): Promise<boolean> {
  const { accounts, clock, db, sessions } = room
  await sessions.endSurplus(known, caller)
  return inTransaction(db, async (trx) => {
    const account = await accounts.lock(trx, known.id)
    if (!account) return false
    await replaceAddress(room, trx, account, address, caller)
    await deleteEmailChange(trx, account.id)
    await voidMailedEnrolmentCode(trx, account.id, clock.now())
    await sessions.endAll(trx, account.id)
    return true
  })
}
