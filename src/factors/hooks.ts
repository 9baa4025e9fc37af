import type { Account } from '../accounts/account.ts'
import type { Caller } from '../caller.ts'
import type { Trx } from '../platform/database.ts'
import { voidMailedEnrolmentCode } from './enrolment-code-store.ts'
import type { Factor } from './factor.ts'
import type { AccountFactors } from './factors.ts'
import type { FactorsRoom } from './room.ts'

/** Tells the factors that the owner has proven the address of the account by a code to it. */
export async function addressProven(
  room: FactorsRoom,
  trx: Trx,
  account: Account,
  caller: Caller,
): Promise<void> {
  for (const factor of room.factors.all) await factor.addressProven?.(room, trx, account, caller)
}

/** Tells the factors that a mailed token has set the password of the account, and nothing else was shown. */
export async function passwordByMail(room: FactorsRoom, trx: Trx, account: Account): Promise<void> {
  await voidMailedEnrolmentCode(trx, account.id, room.clock.now())
  for (const factor of room.factors.all) await factor.passwordByMail?.(room, trx, account.id)
}

/** Tells the other factors of an account that this one was shown. */
export async function otherAccepted(
  room: FactorsRoom,
  trx: Trx,
  account: Account,
  known: AccountFactors,
  shown: Factor,
): Promise<void> {
  for (const factor of room.factors.all)
    if (factor !== shown) await factor.otherAccepted?.(room, trx, account, known.facts(factor))
}
