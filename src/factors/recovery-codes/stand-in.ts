import type { Account } from '../../accounts/account.ts'
import type { Caller } from '../../caller.ts'
import type { Trx } from '../../platform/database.ts'
import type { Binding } from '../factor.ts'
import type { AccountFactors } from '../factors.ts'
import { type Proven, redeem } from '../redeem.ts'
import type { FactorsRoom } from '../room.ts'
import { hashCode } from './codes.ts'
import { recoveryCodes } from './factor.ts'
import { findRecoveryCode } from './store.ts'

// Recovery codes outside the step after a password: with the password itself, and where a mailed token sets a new one.

export { countWrongPassword, isVoid, uncountWrongPassword } from './store.ts'

/** @returns the id of this code of the account, if it is still good. */
export async function findGoodCode(
  { db, keyedHash }: Pick<FactorsRoom, 'db' | 'keyedHash'>,
  accountId: string,
  code: string,
): Promise<string | undefined> {
  return findRecoveryCode(db, accountId, hashCode(keyedHash, accountId, code))
}

/**
 * Uses up a recovery code.
 *
 * @param account locked in this transaction.
 * @returns what it shows; `null` when it is wrong. The caller also commits then, or the event would be lost.
 */
export async function redeemStandIn(
  room: FactorsRoom,
  trx: Trx,
  account: Account,
  known: AccountFactors,
  { code, binding }: { code: string; binding: Binding },
  caller: Caller,
): Promise<Proven | null> {
  const answering = { factor: recoveryCodes, answer: { code }, binding, prepared: undefined }
  return redeem(room, trx, account, known, answering, caller)
}
