import type { AccountPrincipal } from '../../api/principal.ts'
import type { Caller } from '../../caller.ts'
import { inTransaction } from '../../platform/database.ts'
import { prepareChange, refusePhishable, useUp } from '../change.ts'
import { enrolByAnswer, prepareAnswer, refusal } from '../redeem.ts'
import type { FactorsRoom } from '../room.ts'
import type { PasskeyAnswer } from './ceremony.ts'

/**
 * Adds a passkey to an account that has a factor. It replaces nothing, so the sessions go on.
 *
 * @returns the id of the new factor.
 * @throws {AppError} passkey_rejected, factor_limit_reached, invalid_token, insufficient_user_authentication
 */
export async function addPasskey(
  room: FactorsRoom,
  principal: AccountPrincipal,
  answer: PasskeyAnswer,
  caller: Caller,
): Promise<string> {
  const factor = room.factors.named('passkey')
  const binding = { to: 'session', session: principal.session } as const
  const answering = await prepareAnswer(room, principal.account, { factor, answer, binding })
  const id = await inTransaction(room.db, async (trx) => {
    const changing = await prepareChange(room, trx, principal)
    refusePhishable(changing)
    const enrolled = await enrolByAnswer(room, trx, changing.account, changing.known, answering, caller)
    if (!enrolled) return null
    await useUp(room, trx, changing)
    return enrolled.enrolled?.id
  })
  if (!id) throw refusal(room, answering)
  return id
}
