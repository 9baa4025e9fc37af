import type { AccountPrincipal } from '../../api/principal.ts'
import type { Caller } from '../../caller.ts'
import { inTransaction } from '../../platform/database.ts'
import { prepareChange, refusePhishable, useUp } from '../change.ts'
import { listFactors, type OwnFactor } from '../describe.ts'
import { enrolByAnswer, prepareAnswer, refusal } from '../redeem.ts'
import type { FactorsRoom } from '../room.ts'
import type { PasskeyAnswer } from './ceremony.ts'

/**
 * Adds a passkey to an account that has a factor. It replaces nothing, so the sessions go on.
 *
 * @returns the new factor, as it is read before the commit: an answer must not fail once the token is used up.
 * @throws {AppError} passkey_rejected, factor_limit_reached, invalid_token, insufficient_user_authentication
 */
export async function addPasskey(
  room: FactorsRoom,
  principal: AccountPrincipal,
  answer: PasskeyAnswer,
  caller: Caller,
): Promise<OwnFactor> {
  const factor = room.factors.named('passkey')
  const binding = { to: 'session', session: principal.session } as const
  const answering = await prepareAnswer(room, principal.account, { factor, answer, binding })
  const added = await inTransaction(room.db, async (trx) => {
    const changing = await prepareChange(room, trx, principal)
    refusePhishable(changing)
    const enrolled = await enrolByAnswer(room, trx, changing.account, changing.known, answering, caller)
    if (!enrolled) return null
    await useUp(room, trx, changing)
    const all = await listFactors(room, trx, changing.account, changing.known)
    return all.find(({ id }) => id === enrolled.enrolled?.id)
  })
  if (!added) throw refusal(room, answering)
  return added
}
