import type { Account } from '../accounts/account.ts'
import type { Caller } from '../caller.ts'
import { inTransaction, type Trx } from '../platform/database.ts'
import { newEnrolmentCode, oweEnrolmentCodes } from './enrolment-code.ts'
import type { FactorsRoom } from './room.ts'

/**
 * Removes every second factor and recovery code of an account whose owner has lost them all, whatever the policy: the
 * next sign-in enrols a new one, with the enrolment code that is made here. Without it, a thief who knows the password
 * would be the one to enrol. Sessions and challenges of the account end.
 *
 * @param readyMailbox where the code goes to the mailbox of the account: readies that before, in the same transaction, or
 * refuses.
 * @returns the enrolment code; `null` for an account that is gone.
 */
export async function resetFactors(
  room: FactorsRoom,
  known: Account,
  caller: Caller,
  readyMailbox?: (trx: Trx, account: Account) => Promise<void>,
): Promise<string | null> {
  const { accounts, attempts, challenges, clock, db, factors, sessions, trail } = room
  await sessions.endSurplus(known, caller)
  return inTransaction(db, async (trx) => {
    const account = await accounts.lock(trx, known.id)
    if (!account) return null
    await readyMailbox?.(trx, account)
    await accounts.keep(trx, account)
    for (const factor of factors.all) await factor.remove(trx, account.id, clock.now())
    // The counters belong to factors that are gone (NIST SP 800-63B-4 section 3.2.2).
    await attempts.forget(trx, [account.id])
    await challenges.endAll(trx, account.id)
    await sessions.endAll(trx, account.id)
    await trail.record(trx, 'factors_reset', { account }, caller)
    const code = newEnrolmentCode()
    await oweEnrolmentCodes(room, trx, [{ accountId: account.id, code }], {
      mailed: readyMailbox !== undefined,
    })
    return code
  })
}
