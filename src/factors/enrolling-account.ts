import type { Account } from '../accounts/account.ts'
import type { AccountPrincipal, MfaPrincipal } from '../api/principal.ts'
import { alreadyEnrolled, enrolmentCodeRequired } from '../errors.ts'
import type { Trx } from '../platform/database.ts'
import { type Changing, prepareChange, refuseNewFactor, refusePhishable } from './change.ts'
import { listFactors } from './describe.ts'
import type { Factor } from './factor.ts'
import type { FactorsRoom } from './room.ts'

/** By a password alone, or by an account token. */
export type Enrolling = MfaPrincipal | AccountPrincipal

/**
 * Asked in the transaction that begins an enrolment: a password alone gives an account its first factor, and no other.
 *
 * @param factor that is to be enrolled.
 * @param replaces the id of the one that goes for it.
 * @param codeShown whether the enrolment code was shown that the account may owe (`showsEnrolmentCode`).
 * @returns the account, locked.
 * @throws {AppError} already_enrolled, enrolment_code_required, invalid_token, insufficient_user_authentication
 */
export async function enrollingAccount(
  room: FactorsRoom,
  trx: Trx,
  enrolling: Enrolling,
  {
    factor,
    replaces = null,
    codeShown = false,
  }: { factor?: Factor; replaces?: string | null; codeShown?: boolean } = {},
): Promise<Account> {
  const { accounts, factors } = room
  if (enrolling.kind === 'account') {
    const changing = await prepareChange(room, trx, enrolling)
    if (factor?.phishingResistant) refusePhishable(changing)
    if (replaces !== null) await refuseReplacing(room, trx, changing, replaces)
    return changing.account
  }
  const account = await accounts.present(trx, enrolling.account.id)
  const { enrolled, owesEnrolmentCode } = await factors.of(trx, account)
  if (enrolled) throw alreadyEnrolled()
  if (owesEnrolmentCode && !codeShown) throw enrolmentCodeRequired()
  return account
}

async function refuseReplacing(room: FactorsRoom, trx: Trx, changing: Changing, id: string): Promise<void> {
  const all = await listFactors(room, trx, changing.account, changing.known)
  const going = all.find((each) => each.id === id)
  if (going) refuseNewFactor(room, changing, going.createdAt)
}
