import type { Account } from '../accounts/account.ts'
import type { Caller } from '../caller.ts'
import type { Challenge } from '../challenges/challenge.ts'
import { deadChallenge, MAX_ATTEMPTS } from '../challenges/challenges.ts'
import { inTransaction, type Trx } from '../platform/database.ts'
import { together } from '../platform/together.ts'
import { mayChangeAccount } from '../tokens/account-token.ts'
import type { SignIn } from '../tokens/session.ts'
import type { Factor, FactorAnswer } from './factor.ts'
import type { AccountFactors } from './factors.ts'
import { renewCodes } from './recovery-codes/codes.ts'
import { recoveryCodes } from './recovery-codes/factor.ts'
import { enrolByAnswer, type Proven, prepareAnswer, redeem, refusal } from './redeem.ts'
import type { FactorsRoom } from './room.ts'

/** This many wrong codes after a right password are unlikely to come from the owner, so the owner is told. */
const SUSPICIOUS_ATTEMPTS = 3

/** A session, and recovery codes when they were just made. */
export interface Verified {
  signIn: SignIn
  recoveryCodes?: string[]
}

/**
 * Answers a challenge. One transaction checks and uses up the answer, consumes the challenge and opens the session. A
 * crash may lose the response, but never the fact that the code was used.
 *
 * @throws {AppError} invalid_code, invalid_token, not_enrolled, email_unavailable, too_many_attempts
 */
export async function verify(
  room: FactorsRoom,
  challenged: { account: Pick<Account, 'id'>; challenge: Challenge },
  { factor, answer }: { factor: Factor; answer: FactorAnswer },
  caller: Caller,
): Promise<Verified> {
  const { db, accounts, challenges, clock, factors, sessions, trail } = room
  const { challenge } = challenged
  const binding = { to: 'challenge', challenge } as const
  const answering = await prepareAnswer(room, challenged.account, { factor, answer, binding })

  const outcome = await inTransaction(db, async (trx) => {
    const { id } = challenged.account
    const [account, factsOf] = await together(accounts.present(trx, id), factors.read(trx, id))
    const known = factsOf(account)
    const answered = known.enrolled ? redeem : enrolByAnswer
    const proven = await answered(room, trx, account, known, answering, caller)
    // Returned instead of thrown: an error would roll the counters back. Of a burst, the lock of the account lets one
    // answer after the other be looked at. Once the attempts are spent, right and wrong ones end alike, and a wrong one
    // counts for the account all the same: how long it took may tell what it was.
    if (!proven) {
      const attemptsLeft = await challenges.spendAttempt(trx, challenge.id)
      if (attemptsLeft === MAX_ATTEMPTS - SUSPICIOUS_ATTEMPTS)
        await trail.record(trx, 'second_factor_failing', { account, method: factor.method }, caller)
      return { attemptsLeft }
    }
    const { recoveryCodes = await missingCodes(room, trx, account, known, proven), ...shown } = proven
    // With a first factor, sessions without one end.
    if (!known.enrolled) await sessions.endAll(trx, account.id)
    const [, grant] = await together(
      challenges.consume(trx, challenge.id),
      sessions.open(trx, account, shown, caller),
    )
    const signIn = { ...grant, mayChangeAccount: mayChangeAccount(grant.session, known, clock.now()) }
    return { signIn, ...(recoveryCodes && { recoveryCodes }) }
  })

  if ('signIn' in outcome) return outcome
  if (outcome.attemptsLeft < 0) throw deadChallenge()
  throw refusal(room, answering, outcome.attemptsLeft)
}

/** An authenticator that was imported came without recovery codes: its owner gets them at the first sign-in with it. */
async function missingCodes(
  room: FactorsRoom,
  trx: Trx,
  { id }: Account,
  known: AccountFactors,
  { acr }: Proven,
): Promise<string[] | undefined> {
  if (!known.enrolled || acr !== 'aal2' || known.facts(recoveryCodes).made) return undefined
  return renewCodes(room, trx, id)
}
