import type { MfaPrincipal } from '../api/principal.ts'
import type { Caller } from '../caller.ts'
import { deadChallenge } from '../challenges/challenges.ts'
import { newLetterCode, normalizeLetterCode } from '../crypto/codes.ts'
import { invalidCode } from '../errors.ts'
import { batchesOf } from '../platform/batches.ts'
import { DAY_MS, rfc3339 } from '../platform/clock.ts'
import { inTransaction, type Trx } from '../platform/database.ts'
import { keepShown, putEnrolmentCodes, tryEnrolmentCode } from './enrolment-code-store.ts'
import type { FactorsRoom } from './room.ts'

export { owingAmong, voidMailedEnrolmentCode } from './enrolment-code-store.ts'

export const ENROLMENT_CODE_DAYS = 7

/** 80 bits. */
const CHARACTERS = 16

const MAX_WRONG = 10

/** The code of one account, in clear. Only its hash is stored. */
export interface EnrolmentCode {
  accountId: string
  code: string
}

export const newEnrolmentCode = () => newLetterCode(CHARACTERS)

/**
 * Makes each of these accounts owe its enrolment code, in the place of an earlier one. Until a first factor is confirmed
 * with it, the password alone enrols none: a thief who knows the password of an account that an operator has reset, made or
 * imported does not become its owner.
 *
 * @param mailed whether they go to the mailboxes of the accounts. A mailed token that sets the password voids such a code:
 * one mailbox must not open both doors.
 */
export async function oweEnrolmentCodes(
  { clock, keyedHash }: Pick<FactorsRoom, 'clock' | 'keyedHash'>,
  trx: Trx,
  codes: readonly EnrolmentCode[],
  { mailed = false }: { mailed?: boolean } = {},
): Promise<void> {
  const now = clock.now()
  const rows = codes.map(({ accountId, code }) => ({ accountId, codeHash: hash(keyedHash, accountId, code) }))
  await putEnrolmentCodes(trx, rows, {
    mailed,
    createdAt: now,
    expiresAt: now + ENROLMENT_CODE_DAYS * DAY_MS,
  })
}

/** Makes each of these accounts need a code that no one knows: an operator makes another one (`resetFactors`). */
export async function oweUnknownCodes(trx: Trx, accountIds: readonly string[], now: number): Promise<void> {
  const rows = accountIds.map((accountId) => ({ accountId, codeHash: crypto.randomUUID() }))
  for (const some of batchesOf(rows))
    await putEnrolmentCodes(trx, some, { mailed: false, createdAt: now, expiresAt: now })
}

/**
 * Checks the enrolment code of an account that owes one, before an enrolment begins. A wrong one counts for the code
 * and for the mfa token; a right one stays good until the first factor is confirmed, which only this sign-in can do.
 *
 * @returns whether it was shown.
 * @throws {AppError} invalid_code for one that is wrong, expired or void; invalid_token
 */
export async function showsEnrolmentCode(
  room: FactorsRoom,
  { account: { id }, challenge }: MfaPrincipal,
  code: string | undefined,
  caller: Caller,
): Promise<boolean> {
  if (code === undefined) return false
  const { accounts, challenges, clock, db, factors, keyedHash, trail } = room
  const attemptsLeft = await inTransaction(db, async (trx): Promise<number | boolean> => {
    const account = await accounts.present(trx, id)
    if (!(await factors.of(trx, account)).owesEnrolmentCode) return false
    const left = await challenges.spendAttempt(trx, challenge.id)
    if (left < 0) throw deadChallenge()
    const right = await tryEnrolmentCode(trx, id, clock.now(), MAX_WRONG)
    if (right === undefined || right !== hash(keyedHash, id, code)) {
      await trail.record(trx, 'enrolment_code_rejected', { account }, caller)
      return left
    }
    await keepShown(trx, id, challenge.id)
    await challenges.giveAttemptBack(trx, challenge.id)
    return true
  })
  if (typeof attemptsLeft === 'number') throw invalidCode(rfc3339(clock.now()), attemptsLeft)
  return attemptsLeft
}

function hash(keyedHash: FactorsRoom['keyedHash'], accountId: string, code: string): string {
  return keyedHash('enrolment code', accountId, normalizeLetterCode(code))
}
