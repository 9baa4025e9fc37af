import type { AccountPrincipal } from '../api/principal.ts'
import type { Caller } from '../caller.ts'
import { twoFactorRequired } from '../errors.ts'
import { inTransaction } from '../platform/database.ts'
import { passwordAlone } from '../tokens/assurance.ts'
import type { Grant } from '../tokens/session.ts'
import { prepareChange, refuseNewFactor, refusePhishable, useUp } from './change.ts'
import { listFactors } from './describe.ts'
import { noSuchFactor } from './problems.ts'
import type { FactorsRoom } from './room.ts'

/**
 * Removes one factor of an account, or all of them; the recovery codes go with the last one. The session that follows has
 * then the level of a password.
 *
 * @param id of the one; all without it.
 * @throws {AppError} two_factor_required for the last one where every account must have one; not_found; invalid_token,
 * insufficient_user_authentication
 */
export async function removeFactors(
  room: FactorsRoom,
  principal: AccountPrincipal,
  caller: Caller,
  id?: string,
): Promise<Grant> {
  const { attempts, clock, db, factors, mfaRequired, sessions, trail } = room
  if (mfaRequired && id === undefined) throw twoFactorRequired()
  await sessions.endSurplus(principal.account, caller, principal.session.id)
  return inTransaction(db, async (trx) => {
    const changing = await prepareChange(room, trx, principal)
    const { account, session } = changing
    const all = await listFactors(room, trx, account, changing.known)
    const going = all.filter((each) => id === undefined || each.id === id)
    if (id !== undefined && going.length === 0) throw noSuchFactor()
    for (const { createdAt } of going) refuseNewFactor(room, changing, createdAt)
    if (going.some(({ factor }) => factor.phishingResistant)) refusePhishable(changing)
    await useUp(room, trx, changing)
    for (const { factor } of going) await factor.remove(trx, account.id, clock.now(), id)
    const left = await factors.of(trx, account)
    // One that cannot answer, such as codes by mail where the operator has switched them off, would leave its owner
    // outside.
    const answering = factors.all.filter((factor) => left.state(factor).active && left.state(factor).answers)
    const answers = answering.length > 0
    // Wrong codes, which may be a stranger's, close a factor and remove none.
    const closed = await attempts.closed(trx, account.id)
    if (mfaRequired && answering.every(({ method }) => closed.includes(method))) throw twoFactorRequired()
    const gone = new Set(going.map(({ factor }) => factor.method))
    // The recovery codes go too, what is pending, and a mailbox that cannot answer.
    if (!answers)
      for (const factor of factors.all) {
        if (left.state(factor).active) gone.add(factor.method)
        await factor.remove(trx, account.id, clock.now())
      }
    for (const method of gone) await trail.record(trx, 'factor_removed', { account, method }, caller)
    const shown = answers ? session : withoutFactor(session)
    return sessions.startOver(trx, account, { ...shown, passwordAt: null }, caller)
  })
}

/** A session that a passkey opened alone has shown no password either. */
function withoutFactor({ amr, authTime }: { amr: readonly string[]; authTime: number }) {
  return { ...passwordAlone(authTime), amr: amr.filter((method) => method === 'pwd') }
}
