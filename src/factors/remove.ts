import type { AccountPrincipal } from '../api/principal.ts'
import type { Caller } from '../caller.ts'
import { twoFactorRequired } from '../errors.ts'
import { inTransaction } from '../platform/database.ts'
import { passwordAlone } from '../tokens/assurance.ts'
import type { Grant } from '../tokens/session.ts'
import { beginGraveChange } from './change.ts'
import type { FactorsRoom } from './room.ts'

/**
 * Removes every second factor and the recovery codes from an account. The session that follows has the level of a password.
 *
 * @throws {AppError} two_factor_required when every account must have a second factor; invalid_token,
 * insufficient_user_authentication
 */
export async function removeFactors(
  room: FactorsRoom,
  principal: AccountPrincipal,
  caller: Caller,
): Promise<Grant> {
  const { db, factors, mfaRequired, sessions, trail } = room
  if (mfaRequired) throw twoFactorRequired()
  const { authTime } = principal.session
  await sessions.endSurplus(principal.account, caller, principal.session.id)
  return inTransaction(db, async (trx) => {
    const { account, known } = await beginGraveChange(room, trx, principal)
    for (const factor of factors.all) await factor.remove(trx, account.id)
    if (known.enrolled) await trail.record(trx, 'factor_removed', { account }, caller)
    return sessions.startOver(trx, account, { ...passwordAlone(authTime), passwordAt: null }, caller)
  })
}
