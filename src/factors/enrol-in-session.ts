import type { AccountPrincipal } from '../api/principal.ts'
import type { Caller } from '../caller.ts'
import { inTransaction } from '../platform/database.ts'
import type { Grant } from '../tokens/session.ts'
import { prepareChange, refuseNewFactor, useUp } from './change.ts'
import type { Factor, FactorAnswer } from './factor.ts'
import { enrolByAnswer, prepareAnswer, refusal } from './redeem.ts'
import type { FactorsRoom } from './room.ts'

/** The session in the place of all older ones, and recovery codes when they were just made. */
export interface EnrolledInSession {
  grant: Grant
  recoveryCodes?: string[]
}

/**
 * Enrols a pending factor by an account token: to enrol later, one more, or in the place of an active one, which works
 * until this very transaction.
 *
 * @throws {AppError} invalid_code, not_enrolled, invalid_token, insufficient_user_authentication
 */
export async function enrolInSession(
  room: FactorsRoom,
  principal: AccountPrincipal,
  { factor, answer }: { factor: Factor; answer: FactorAnswer },
  caller: Caller,
): Promise<EnrolledInSession> {
  const { db, sessions } = room
  const binding = { to: 'session', session: principal.session } as const
  const answering = await prepareAnswer(room, principal.account, { factor, answer, binding })
  await sessions.endSurplus(principal.account, caller, principal.session.id)
  const outcome = await inTransaction(db, async (trx): Promise<EnrolledInSession | null> => {
    const changing = await prepareChange(room, trx, principal)
    const { account, known } = changing
    const enrolled = await enrolByAnswer(room, trx, account, known, answering, caller)
    if (!enrolled) return null
    refuseNewFactor(room, changing, enrolled.enrolled?.replaced ?? null)
    // Only now: a wrong code leaves the token for the next one.
    await useUp(room, trx, changing)
    const { recoveryCodes, ...shown } = enrolled
    // The password was shown before the change: another change asks for it again.
    const grant = await sessions.startOver(trx, account, { ...shown, passwordAt: null }, caller)
    return { grant, ...(recoveryCodes && { recoveryCodes }) }
  })
  if (!outcome) throw refusal(room, answering)
  return outcome
}
