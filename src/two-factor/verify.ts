import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { AuditTrail } from '../audit/trail.ts'
import { invalidCode } from '../errors.ts'
import { type Clock, rfc3339 } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import { type Challenge, type Challenges, MAX_WRONG_CODES } from '../sign-in/challenges.ts'
import type { Client, Grant, Sessions } from '../tokens/sessions.ts'
import type { Method } from './factors.ts'
import type { Prove } from './prove.ts'

/** So many wrong codes after a right password are hardly the owner's: the owner is told. */
const SUSPICIOUS_WRONG_CODES = 3

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

export function makeVerify({
  db,
  clock,
  accounts,
  challenges,
  prove,
  sessions,
  trail,
}: {
  db: Db
  clock: Clock
  accounts: Accounts
  challenges: Challenges
  prove: Prove
  sessions: Sessions
  trail: AuditTrail
}): Verify {
  return async ({ account, challenge, code, method }, client) => {
    const outcome = await db.transaction().execute(async (trx) => {
      await accounts.present(trx, account.id)
      const triesLeft = await challenges.spendTry(trx, challenge.id)
      const answer = { code, method, challengeId: challenge.id }
      const proof = await prove.answer(trx, account, answer, client)
      // Not thrown from here: that would roll the counters back.
      if (!proof) {
        if (triesLeft === MAX_WRONG_CODES - SUSPICIOUS_WRONG_CODES)
          await trail.record(trx, 'second_factor_failing', { account, method }, client)
        return { triesLeft }
      }
      await challenges.consume(trx, challenge.id)
      const grant = await sessions.open(trx, account, proof.amr, client)
      if (!proof.recoveryCodes) return { grant }
      // The first factor: what was begun without one ends.
      await sessions.endWeaker(trx, grant.session)
      return { grant, recoveryCodes: proof.recoveryCodes }
    })

    if ('triesLeft' in outcome) throw invalidCode(rfc3339(clock.now()), outcome.triesLeft)
    return outcome
  }
}

/** As they stand in an answer: this once, or not at all. */
export function recoveryCodesOf({ recoveryCodes }: Verified): { recovery_codes?: string[] } {
  return recoveryCodes ? { recovery_codes: recoveryCodes } : {}
}
