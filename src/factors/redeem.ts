import type { Account } from '../accounts/account.ts'
import { CODE_POLICY } from '../attempts/policies.ts'
import type { Caller } from '../caller.ts'
import { type AppError, enrolmentCodeRequired, invalidCode } from '../errors.ts'
import { type Clock, rfc3339 } from '../platform/clock.ts'
import type { Trx } from '../platform/database.ts'
import { together } from '../platform/together.ts'
import type { Assurance, Proof } from '../tokens/assurance.ts'
import { deleteEnrolmentCode, wasShownBy } from './enrolment-code-store.ts'
import type { Binding, Enrolled, Factor, FactorAnswer } from './factor.ts'
import type { AccountFactors } from './factors.ts'
import { otherAccepted } from './hooks.ts'
import { renewCodes } from './recovery-codes/codes.ts'
import { recoveryCodes } from './recovery-codes/factor.ts'
import type { FactorsRoom } from './room.ts'

/** An answer, with the factor it belongs to. */
export interface Answering {
  factor: Factor
  answer: FactorAnswer
  binding: Binding
  /** What `prepare` of the factor returned. */
  prepared: unknown
}

/** What a right answer has shown. The answer is used up. */
export interface Proven extends Proof {
  /** The first recovery codes of the account, when the answer has enrolled its first factor. */
  recoveryCodes?: string[]
  /** The factor that it has enrolled. */
  enrolled?: Enrolled
}

/** Does the part of checking an answer that comes before the transaction. */
export async function prepareAnswer(
  room: FactorsRoom,
  account: Pick<Account, 'id'>,
  { factor, answer, binding }: Omit<Answering, 'prepared'>,
): Promise<Answering> {
  return { factor, answer, binding, prepared: await factor.prepare?.(room, account, answer, binding) }
}

/**
 * Checks an answer of a factor and uses it up. The attempt is counted before the answer is looked at; the caller
 * commits also when it was wrong (`null`), or the count would be lost.
 *
 * @param account locked in this transaction.
 * @throws {AppError} not_enrolled, email_unavailable, too_many_attempts
 */
export async function redeem(
  room: FactorsRoom,
  trx: Trx,
  account: Account,
  known: AccountFactors,
  { factor, ...given }: Answering,
  caller: Caller,
): Promise<Proven | null> {
  const { attempts, clock, trail } = room
  const about = { account, method: factor.method }
  const [found] = await together(
    factor.find?.(room, trx, account),
    factor.unguessable ? undefined : attempts.begin(trx, account.id, factor.method, CODE_POLICY),
  )
  const assurance = await factor.redeem(room, trx, {
    ...aboutAccount(account, known, factor),
    ...given,
    found,
  })
  if (!assurance) {
    await trail.record(trx, factor.rejected?.(given.prepared) ?? 'code_rejected', about, caller)
    if (!factor.unguessable && (await attempts.fail(trx, account.id, factor.method, CODE_POLICY)))
      await trail.record(trx, 'attempts_paused', about, caller)
    return null
  }
  const now = clock.now()
  const shown = factor.standsIn
    ? proofOf({ ...assurance, acr: known.bestAcr }, given.binding, { now, since: 0 })
    : proofOf(assurance, given.binding, { now, since: assurance.since ?? known.since(factor) ?? now })
  // What cannot be guessed shows the owner: all counts go back to zero, and the factors that they have closed open.
  if (factor.unguessable) await attempts.clear(trx, account.id)
  else await attempts.succeed(trx, account.id, factor.method)
  await trail.record(trx, 'code_accepted', about, caller)
  const enrolled = await factor.accepted?.(room, trx, account, known.facts(factor), caller)
  await otherAccepted(room, trx, account, known, factor)
  if (!enrolled || known.enrolled) return shown
  return { ...shown, recoveryCodes: await renewCodes(room, trx, account.id) }
}

/**
 * Takes an answer that enrols what is pending: of an account without a factor, or in the place of a factor of the same
 * kind. The first factor brings recovery codes. A later one does not: they would do at once what it has to wait for.
 *
 * @param account locked in this transaction.
 * @throws {AppError} not_enrolled, email_unavailable, too_many_attempts, enrolment_code_required
 */
export async function enrolByAnswer(
  room: FactorsRoom,
  trx: Trx,
  account: Account,
  known: AccountFactors,
  answering: Answering,
  caller: Caller,
): Promise<Proven | null> {
  const { attempts, clock, trail } = room
  const { factor, ...given } = answering
  const about = { account, method: factor.method }
  // Asked before the answer is looked at: another sign-in, which knows the password alone, could guess at it.
  if (known.owesEnrolmentCode && !(factor.enrol && (await hasShownCode(trx, account, answering))))
    throw enrolmentCodeRequired()
  if (!factor.enrol) return redeem(room, trx, account, known, answering, caller)
  const enrolled = await factor.enrol(room, trx, { ...aboutAccount(account, known, factor), ...given })
  if (!enrolled) {
    await trail.record(trx, 'code_rejected', about, caller)
    return null
  }
  if (known.owesEnrolmentCode) await deleteEnrolmentCode(trx, account.id)
  await attempts.succeed(trx, account.id, factor.method)
  await trail.record(trx, enrolled.replaced !== null ? 'factor_replaced' : 'factor_enrolled', about, caller)
  await otherAccepted(room, trx, account, known, factor)
  const { since } = enrolled
  const shown = { ...proofOf(enrolled, given.binding, { now: clock.now(), since }), enrolled }
  if (known.enrolled || known.state(recoveryCodes).answers) return shown
  return { ...shown, recoveryCodes: await renewCodes(room, trx, account.id) }
}

async function hasShownCode(trx: Trx, { id }: Account, { binding }: Answering): Promise<boolean> {
  return binding.to === 'challenge' && (await wasShownBy(trx, id, binding.challenge.id))
}

function aboutAccount(account: Account, known: AccountFactors, factor: Factor) {
  return { account, facts: known.facts(factor), enrolled: known.enrolled }
}

/** What is thrown for a wrong answer, after the commit that keeps its count. */
export function refusal(
  { clock }: { clock: Clock },
  { factor, prepared }: Answering,
  attemptsLeft?: number,
): AppError {
  const serverTime = rfc3339(clock.now())
  return factor.refusal?.(prepared, { serverTime, attemptsLeft }) ?? invalidCode(serverTime, attemptsLeft)
}

/** What has been shown with the factor: the password comes before each challenge, and not before each session. */
function proofOf(
  { amr, acr }: Assurance,
  binding: Binding,
  { now, since }: { now: number; since: number },
): Proof {
  const passwordAt = passwordShownAt(binding)
  const withPassword =
    passwordAt !== null || (binding.to === 'session' && binding.session.amr.includes('pwd'))
  return {
    amr: [...(withPassword ? ['pwd'] : []), ...amr, 'mfa'],
    acr,
    authTime: now,
    passwordAt,
    factorAt: now,
    factorSince: since,
  }
}

function passwordShownAt(binding: Binding): number | null {
  switch (binding.to) {
    case 'challenge':
      return binding.challenge.createdAt
    case 'session':
      return binding.session.passwordAt
    case 'password':
      return binding.at
    case 'sign-in':
      return null
  }
}
