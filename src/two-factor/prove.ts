import type { Account } from '../accounts/account.ts'
import { emailUnavailable, notEnrolled } from '../errors.ts'
import type { Trx } from '../platform/database.ts'
import { CODE_POLICY, type FailureCounters } from '../sign-in/failure-counters.ts'
import type { Amr } from '../tokens/assurance.ts'
import type { Method } from './factors.ts'
import type { RecoveryCodes } from './recovery-codes.ts'
import type { TotpCodes } from './totp-codes.ts'

/** A code of some factor. */
export interface Answer {
  code: string
  method: Method
}

/** What a right code has shown; the code is spent. */
export interface Proof {
  amr: readonly Amr[]
  /** The account's first ones, when the code has confirmed its first factor. */
  recoveryCodes?: string[]
}

/**
 * Checks and spends codes. Each try is counted against its factor before it is evaluated; the caller commits
 * also when the code was wrong (`null`), or the count would be lost.
 */
export interface Prove {
  /**
   * A code of a factor that is in force.
   *
   * @throws {AppError} not_enrolled, email_unavailable, too_many_attempts
   */
  active(trx: Trx, account: Account, answer: Answer): Promise<Proof | null>
  /**
   * The confirming code of a pending authenticator, which takes the place of one that was active before.
   *
   * @throws {AppError} not_enrolled
   */
  pending(trx: Trx, account: Account, code: string): Promise<Proof | null>
}

const BY_TOTP: readonly Amr[] = ['pwd', 'otp', 'mfa']
const BY_RECOVERY_CODE: readonly Amr[] = ['pwd', 'recovery', 'mfa']

export function makeProve({
  failureCounters,
  totpCodes,
  recoveryCodes,
}: {
  failureCounters: FailureCounters
  totpCodes: TotpCodes
  recoveryCodes: RecoveryCodes
}): Prove {
  async function isRight(trx: Trx, account: Account, { code, method }: Answer): Promise<boolean> {
    if (method === 'recovery_code') return recoveryCodes.redeem(trx, account.id, code)
    const { active } = await totpCodes.factorsOf(trx, account.id)
    if (!active) throw notEnrolled()
    return totpCodes.spend(trx, active, code)
  }

  return {
    async active(trx, account, answer) {
      if (answer.method === 'email') throw emailUnavailable()
      await failureCounters.begin(trx, account.id, answer.method)
      if (!(await isRight(trx, account, answer))) {
        await failureCounters.fail(trx, account.id, answer.method, CODE_POLICY)
        return null
      }
      await failureCounters.succeed(trx, account.id, answer.method)
      return { amr: answer.method === 'totp' ? BY_TOTP : BY_RECOVERY_CODE }
    },

    async pending(trx, account, code) {
      const { active, pending } = await totpCodes.factorsOf(trx, account.id)
      if (!pending) throw notEnrolled()
      if (!(await totpCodes.confirm(trx, pending, code))) return null
      await failureCounters.succeed(trx, account.id, 'totp')
      if (active) return { amr: BY_TOTP }
      return { amr: BY_TOTP, recoveryCodes: await recoveryCodes.renew(trx, account.id) }
    },
  }
}
