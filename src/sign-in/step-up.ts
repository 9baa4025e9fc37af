import type { Caller } from '../caller.ts'
import { insufficientUserAuthentication, invalidCredentials } from '../errors.ts'
import type { Factor, FactorAnswer } from '../factors/factor.ts'
import { type Answering, prepareAnswer, redeem, refusal } from '../factors/redeem.ts'
import { inTransaction } from '../platform/database.ts'
import { mayChangeAccount } from '../tokens/account-token.ts'
import { type Acr, type Proof, reaches } from '../tokens/assurance.ts'
import type { Session, SignedIn } from '../tokens/session.ts'
import { stillSignedIn } from '../tokens/signed-in.ts'
import type { SteppedUp } from '../tokens/token-response.ts'
import { withPasswordInSession } from './password-in-session.ts'
import type { SignInRoom } from './room.ts'

/** An answer of a factor, perhaps with the password; or the password alone. */
export type Shown =
  | { factor: Factor; answer: FactorAnswer; password?: string }
  | { factor?: undefined; password: string }

/**
 * Shows a factor, the password or both again within a session (RFC 9470). Each attempt counts for the session, which
 * has five in a row.
 *
 * @throws {AppError} invalid_credentials, invalid_code, not_enrolled, email_unavailable, too_many_attempts, overloaded;
 * insufficient_user_authentication for the password alone where the account has a factor of a higher level.
 */
export async function stepUp(
  room: SignInRoom,
  signedIn: SignedIn,
  shown: Shown,
  caller: Caller,
): Promise<SteppedUp> {
  // Before anything is used up: the answer has an access token.
  room.signingKeys.current()
  const { password } = shown
  if (!shown.factor) {
    const { bestAcr } = await room.factors.of(room.db, signedIn.account)
    if (bestAcr !== 'aal1') throw insufficientUserAuthentication(bestAcr)
  }
  if (password === undefined) return showAgain(room, signedIn, shown, caller)
  return withPasswordInSession(room, signedIn, password, caller, () =>
    showAgain(room, signedIn, shown, caller),
  )
}

/** @param signedIn as the guard of the request found it. */
async function showAgain(
  room: SignInRoom,
  signedIn: SignedIn,
  shown: Shown,
  caller: Caller,
): Promise<SteppedUp> {
  const { clock, db, factors, sessions } = room
  const { password } = shown
  const { account } = signedIn
  const to = (session: Session) =>
    ({ to: 'session', session: withPassword(session, password, clock.now()) }) as const
  const answering =
    shown.factor && (await prepareAnswer(room, account, { ...shown, binding: to(signedIn.session) }))

  const outcome = await inTransaction(db, async (trx): Promise<SteppedUp | null> => {
    // What the session has shown may be void by now: another request has used it for a change.
    const { account: present, session } = await stillSignedIn(room, trx, signedIn)
    if (password === undefined) await sessions.countStepUp(trx, session)
    else if (present.passwordSetAt !== account.passwordSetAt) throw invalidCredentials()
    const known = await factors.of(trx, present)
    if (!answering && known.bestAcr !== 'aal1') throw insufficientUserAuthentication(known.bestAcr)
    const proof = answering
      ? await redeem(room, trx, present, known, { ...answering, binding: to(session) }, caller)
      : passwordAgain(session, known.bestAcr, clock.now())
    if (!proof) return null
    const proven = await sessions.prove(trx, session, proof)
    return {
      account: present,
      session: proven,
      mayChangeAccount: mayChangeAccount(proven, known, clock.now()),
    }
  })
  if (!outcome) throw refusal(room, answering as Answering)
  return outcome
}

/** As the session is once the password that came with the answer is counted. */
function withPassword(session: Session, password: string | undefined, now: number): Session {
  const amr = session.amr.includes('pwd') ? session.amr : ['pwd', ...session.amr]
  return password === undefined ? session : { ...session, amr, passwordAt: now }
}

/** What the session has shown before stays shown, but for factors that the account has lost meanwhile. */
function passwordAgain(session: Session, bestAcr: Acr, now: number): Proof {
  const shown = { ...withPassword(session, '', now), authTime: now }
  if (reaches(bestAcr, session.acr)) return shown
  const amr = session.amr.includes('mfa') ? ['pwd', 'mfa'] : ['pwd']
  return { ...shown, amr, acr: bestAcr, factorAt: null, factorSince: null }
}
