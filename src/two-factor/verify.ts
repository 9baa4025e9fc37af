import type { Account } from '../accounts/account.ts'
import { emailUnavailable, invalidCode, notEnrolled } from '../errors.ts'
import { type Clock, rfc3339 } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import type { Challenge, Challenges } from '../sign-in/challenges.ts'
import { CODE_POLICY, type FailureCounters } from '../sign-in/failure-counters.ts'
import type { Amr } from '../tokens/assurance.ts'
import type { Client, Grant, Sessions } from '../tokens/sessions.ts'
import type { Method } from './factors.ts'
import type { RecoveryCodes } from './recovery-codes.ts'
import type { TotpCodes } from './totp-codes.ts'

/** A session and, after the first confirmation, the recovery codes, this once. */
export interface Verified {
  grant: Grant
  recoveryCodes?: string[]
}

/**
 * Answers a challenge: the code is checked and spent, the challenge consumed and the session begun in one
 * transaction. A crash may lose the answer, never the use.
 *
 * @throws {AppError} invalid_code, invalid_token, not_enrolled, email_unavailable, too_many_attempts
 */
export type Verify = (
  proof: { account: Account; challenge: Challenge; code: string; method: Method },
  client: Client,
) => Promise<Verified>

/** What a right code proved. */
interface Proof {
  amr: readonly Amr[]
  recoveryCodes?: string[]
}

export function makeVerify({
  db,
  clock,
  challenges,
  failureCounters,
  totpCodes,
  recoveryCodes,
  sessions,
}: {
  db: Db
  clock: Clock
  challenges: Challenges
  failureCounters: FailureCounters
  totpCodes: TotpCodes
  recoveryCodes: RecoveryCodes
  sessions: Sessions
}): Verify {
  async function proveByTotp(trx: Trx, account: Account, code: string): Promise<Proof | null> {
    const { active, pending } = await totpCodes.factorsOf(trx, account.id)
    const amr = ['pwd', 'otp', 'mfa'] as const
    if (active) return (await totpCodes.spend(trx, active, code)) ? { amr } : null
    if (!pending) throw notEnrolled()
    if (!(await totpCodes.confirm(trx, pending, code))) return null
    return { amr, recoveryCodes: await recoveryCodes.renew(trx, account.id) }
  }

  async function proveByRecoveryCode(trx: Trx, account: Account, code: string): Promise<Proof | null> {
    const redeemed = await recoveryCodes.redeem(trx, account.id, code)
    return redeemed ? { amr: ['pwd', 'recovery', 'mfa'] } : null
  }

  return async ({ account, challenge, code, method }, client) => {
    if (method === 'email') throw emailUnavailable()
    const prove = method === 'totp' ? proveByTotp : proveByRecoveryCode

    const outcome = await db.transaction().execute(async (trx) => {
      const triesLeft = await challenges.spendTry(trx, challenge.id)
      await failureCounters.begin(trx, account.id, method)
      const proof = await prove(trx, account, code)
      if (!proof) {
        await failureCounters.fail(trx, account.id, method, CODE_POLICY)
        // Not thrown from here: that would roll the counters back.
        return { triesLeft }
      }
      await failureCounters.succeed(trx, account.id, method)
      await challenges.consume(trx, challenge.id)
      const grant = await sessions.open(trx, account, proof.amr, client)
      return { grant, ...(proof.recoveryCodes && { recoveryCodes: proof.recoveryCodes }) }
    })

    if ('triesLeft' in outcome) throw invalidCode(rfc3339(clock.now()), outcome.triesLeft)
    return outcome
  }
}
