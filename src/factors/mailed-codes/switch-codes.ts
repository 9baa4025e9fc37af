import type { AccountPrincipal } from '../../api/principal.ts'
import type { Caller } from '../../caller.ts'
import { twoFactorRequired } from '../../errors.ts'
import { addressNotProven, emailUnavailable, mailboxAlone } from '../../mail/problems.ts'
import { inTransaction, type Trx } from '../../platform/database.ts'
import { beginChange, prepareChange, refuseNewFactor, useUp } from '../change.ts'
import type { FactorsRoom } from '../room.ts'
import { dropMailedCodes, enrolMailedCodes } from './store.ts'

/**
 * Switches codes by mail on or off. The account token is used up also where they stood so already.
 *
 * @throws {AppError} email_unavailable, two_factor_required, invalid_token, insufficient_user_authentication
 */
export async function switchCodes(
  room: FactorsRoom,
  principal: AccountPrincipal,
  enabled: boolean,
  caller: Caller,
): Promise<void> {
  const change = enabled ? switchOn : switchOff
  await inTransaction(room.db, (trx) => change(room, trx, principal, caller))
}

/** Only with another factor: a first factor brings recovery codes, and this answer has none. */
async function switchOn(
  room: FactorsRoom,
  trx: Trx,
  principal: AccountPrincipal,
  caller: Caller,
): Promise<void> {
  const { attempts, clock, factors, sendCode, trail } = room
  const mailbox = factors.named('email')
  const { account, known } = await beginChange(room, trx, principal)
  if (!sendCode) throw emailUnavailable()
  if (known.state(mailbox).active) return
  if (!account.emailVerified) throw addressNotProven()
  if (!known.enrolled) throw mailboxAlone()
  await enrolMailedCodes(trx, account.id, clock.now())
  // Guesses that have closed an earlier enrolment do not count against this one.
  await attempts.clear(trx, account.id, mailbox.method)
  await trail.record(trx, 'email_codes_switched_on', { account, method: mailbox.method }, caller)
}

/** The only factor is removed by `DELETE /2fa`, which answers with the tokens of another session. */
async function switchOff(
  room: FactorsRoom,
  trx: Trx,
  principal: AccountPrincipal,
  caller: Caller,
): Promise<void> {
  const { factors, mfaRequired, sessions, trail } = room
  const mailbox = factors.named('email')
  const changing = await prepareChange(room, trx, principal)
  const { account, known } = changing
  refuseNewFactor(room, changing, known.since(mailbox))
  await useUp(room, trx, changing)
  if (!known.state(mailbox).active) return
  if (!known.hasOther(mailbox)) throw mfaRequired ? twoFactorRequired() : mailboxAlone()
  await dropMailedCodes(trx, account.id)
  await trail.record(trx, 'email_codes_switched_off', { account, method: mailbox.method }, caller)
  await sessions.endOthers(trx, principal, caller)
}
