import { invalidCode } from '../errors.ts'
import { type Clock, rfc3339 } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import type { Client, Sessions, SignedIn } from '../tokens/sessions.ts'
import type { Answer, Prove } from './prove.ts'

/**
 * Proves a factor anew within a session (RFC 9470), so that its next access token is fresh.
 *
 * @throws {AppError} invalid_code, not_enrolled, email_unavailable, too_many_attempts
 */
export type StepUp = (signedIn: SignedIn, answer: Answer, client: Client) => Promise<SignedIn>

export function makeStepUp({
  db,
  clock,
  prove,
  sessions,
}: {
  db: Db
  clock: Clock
  prove: Prove
  sessions: Sessions
}): StepUp {
  return async ({ account, session }, answer, client) => {
    const proven = await db.transaction().execute(async (trx) => {
      const proof = await prove.answer(trx, account, answer, client)
      return proof && sessions.prove(trx, session, proof.amr)
    })
    if (!proven) throw invalidCode(rfc3339(clock.now()))
    return { account, session: proven }
  }
}
