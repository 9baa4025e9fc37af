import type { Account } from '../../accounts/account.ts'
import { notEnrolled } from '../../errors.ts'
import type { Trx } from '../../platform/database.ts'
import type { Assurance } from '../../tokens/assurance.ts'
import { factorLimitReached } from '../problems.ts'
import type { FactorsRoom } from '../room.ts'
import { matchingTimeStep, spendStep } from './code.ts'
import {
  activateTotpFactor,
  deleteTotpFactors,
  findTotpFactors,
  noteWrongCode,
  sinceOf,
  spendTimeStep,
  type TotpFactor,
  type TotpFactors,
} from './store.ts'
import { totpSecretContext } from './tables.ts'

export const TOTP_ASSURANCE: Assurance = { amr: ['otp'], acr: 'aal2' }

/** Authenticators of one account, pending or active. */
export const MOST_AUTHENTICATORS = 5

type Codes = Pick<FactorsRoom, 'box' | 'clock'>

const secretOf = ({ box }: Pick<Codes, 'box'>, { accountId, id, sealedSecret }: TotpFactor) =>
  box.open(sealedSecret, totpSecretContext(accountId, id))

function timeStepOf(room: Codes, factor: TotpFactor, code: string): number | null {
  return matchingTimeStep(secretOf(room, factor), code, room.clock.now(), factor)
}

/**
 * Spends a code of one of the active authenticators. Every one of them is looked at, whichever the code fits.
 *
 * @param found in this transaction, with the account locked.
 * @returns the one that it was of, if it was right, and this the first time.
 * @throws {AppError} not_enrolled
 */
export async function spendCode(
  room: Codes,
  trx: Trx,
  found: TotpFactors,
  code: string,
): Promise<TotpFactor | null> {
  const { active } = found
  const now = room.clock.now()
  if (active.length === 0) throw notEnrolled()
  const fitting = active.map((factor) => ({ factor, step: timeStepOf(room, factor, code) }))
  const [fits] = fitting.filter((each): each is { factor: TotpFactor; step: number } => each.step !== null)
  if (!fits) return null
  const { factor, step } = fits
  return (await spendTimeStep(trx, factor, spendStep(factor, step, now), now)) ? factor : null
}

/**
 * The confirming code of the authenticator that this sign-in or session has set up. It takes the place of the one that it
 * was to replace.
 *
 * @param begunBy the challenge or session.
 * @returns since when the account has had it, and had the one that it replaces; `null` when the code is wrong.
 * @throws {AppError} not_enrolled, factor_limit_reached
 */
export async function confirmPending(
  room: Codes,
  trx: Trx,
  account: Account,
  { code, begunBy }: { code: string; begunBy: string },
): Promise<{ replaced: number | null; since: number; id: string } | null> {
  const since = room.clock.now()
  const { active, pending } = await findTotpFactors(trx, account.id, since)
  const own = pending.find((each) => each.begunBy === begunBy)
  if (!own) throw notEnrolled()
  const step = timeStepOf(room, own, code)
  const secret = secretOf(room, own)
  if (step === null || active.some((each) => secretOf(room, each).equals(secret))) {
    await noteWrongCode(trx, own.id)
    return null
  }
  const old = active.find(({ id }) => id === own.replaces)
  if (!old && active.length >= MOST_AUTHENTICATORS) throw factorLimitReached(MOST_AUTHENTICATORS)
  // Thrown, so that the old one is not gone with a pending one that another request has taken.
  if (!(await activateTotpFactor(trx, own, step, since))) throw notEnrolled()
  if (old) await deleteTotpFactors(trx, account.id, since, old.id)
  return { replaced: old ? sinceOf(old) : null, since, id: own.id }
}
