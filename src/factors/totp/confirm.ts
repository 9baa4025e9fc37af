import type { Account } from '../../accounts/account.ts'
import { notEnrolled } from '../../errors.ts'
import type { Trx } from '../../platform/database.ts'
import type { Assurance } from '../../tokens/assurance.ts'
import type { FactorsRoom } from '../room.ts'
import { matchingTimeStep, spendStep } from './code.ts'
import { activateTotpFactor, findTotpFactors, spendTimeStep, type TotpFactor } from './store.ts'
import { totpSecretContext } from './tables.ts'

export const TOTP_ASSURANCE: Assurance = { amr: ['otp'], acr: 'aal2' }

type Codes = Pick<FactorsRoom, 'box' | 'clock'>

function timeStepOf({ box, clock }: Codes, factor: TotpFactor, code: string): number | null {
  const secret = box.open(factor.sealedSecret, totpSecretContext(factor.accountId, factor.id))
  return matchingTimeStep(secret, code, clock.now(), factor)
}

/**
 * Spends a code of the active authenticator.
 *
 * @returns whether it was right, and this the first time.
 * @throws {AppError} not_enrolled
 */
export async function spendCode(room: Codes, trx: Trx, account: Account, code: string): Promise<boolean> {
  const { active } = await findTotpFactors(trx, account.id, room.clock.now())
  if (!active) throw notEnrolled()
  const step = timeStepOf(room, active, code)
  return step !== null && (await spendTimeStep(trx, active, spendStep(active, step, room.clock.now())))
}

/**
 * The confirming code of the pending authenticator, which takes the place of one that was active before.
 *
 * @returns whether it took another one's place, and when; `null` when the code is wrong.
 * @throws {AppError} not_enrolled
 */
export async function confirmPending(
  room: Codes,
  trx: Trx,
  account: Account,
  code: string,
): Promise<{ replaced: boolean; since: number } | null> {
  const { active, pending } = await findTotpFactors(trx, account.id, room.clock.now())
  if (!pending) throw notEnrolled()
  const step = timeStepOf(room, pending, code)
  if (step === null) return null
  // Thrown, so that the active factor is not gone with a pending one that another request has taken.
  const since = room.clock.now()
  if (!(await activateTotpFactor(trx, pending, step, since))) throw notEnrolled()
  return { replaced: active !== undefined, since }
}
