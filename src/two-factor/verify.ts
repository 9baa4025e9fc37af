import type { Account } from '../accounts/account.ts'
import { invalidCode } from '../errors.ts'
import { type Clock, rfc3339 } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import type { Challenge, Challenges } from '../sign-in/challenges.ts'
import type { Client, Grant, Sessions } from '../tokens/sessions.ts'
import type { Factors } from './factors.ts'
import type { Answer, Prove } from './prove.ts'

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
  proof: { account: Account; challenge: Challenge; answer: Answer },
  client: Client,
) => Promise<Verified>

export function makeVerify({
  db,
  clock,
  challenges,
  factors,
  prove,
  sessions,
}: {
  db: Db
  clock: Clock
  challenges: Challenges
  factors: Factors
  prove: Prove
  sessions: Sessions
}): Verify {
  return async ({ account, challenge, answer }, client) => {
    const outcome = await db.transaction().execute(async (trx) => {
      const triesLeft = await challenges.spendTry(trx, challenge.id)
      const { enrolled } = await factors.of(trx, account.id)
      const confirming = !enrolled && answer.method === 'totp'
      const proof = confirming
        ? await prove.pending(trx, account, answer.code)
        : await prove.active(trx, account, answer)
      // Not thrown from here: that would roll the counters back.
      if (!proof) return { triesLeft }
      await challenges.consume(trx, challenge.id)
      const grant = await sessions.open(trx, account, proof.amr, client)
      return { grant, ...(proof.recoveryCodes && { recoveryCodes: proof.recoveryCodes }) }
    })

    if ('triesLeft' in outcome) throw invalidCode(rfc3339(clock.now()), outcome.triesLeft)
    return outcome
  }
}
