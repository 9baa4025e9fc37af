import type { AccountPrincipal } from '../api/principal.ts'
import type { Caller } from '../caller.ts'
import { invalidCredentials } from '../errors.ts'
import { beginChange } from '../factors/change.ts'
import { inTransaction } from '../platform/database.ts'
import { withPasswordInSession } from '../sign-in/password-in-session.ts'
import type { Grant } from '../tokens/session.ts'
import { passwordReplaced } from './password-replaced.ts'
import type { AccountsRoom } from './room.ts'
import * as store from './store.ts'

/**
 * Sets a new password, given the old one. Every session ends, and so do pending sign-ins, resets and pauses; a new
 * session begins for the owner. Of the networks of the account, only the present one stays its own.
 *
 * @throws {AppError} invalid_credentials, invalid_token, password_rejected, too_many_attempts, overloaded
 */
export async function changePassword(
  room: AccountsRoom,
  principal: AccountPrincipal,
  { current, next }: { current: string; next: string },
  caller: Caller,
): Promise<Grant> {
  const { account } = principal
  room.checkPassword(next, account.username)
  return withPasswordInSession(room, principal, current, caller, () =>
    setPassword(room, principal, next, caller),
  )
}

async function setPassword(
  room: AccountsRoom,
  principal: AccountPrincipal,
  next: string,
  caller: Caller,
): Promise<Grant> {
  const { account, session } = principal
  const { clock, db, passwords, sessions, trail } = room
  const passwordHash = await passwords.hash(next, caller)
  await sessions.endSurplus(account, caller, session.id)

  return inTransaction(db, async (trx) => {
    const changing = await beginChange(room, trx, principal)
    const now = clock.now()
    if (!(await store.setPassword(trx, account.id, passwordHash, now, account.passwordSetAt)))
      throw invalidCredentials()
    await passwordReplaced(room, trx, changing.account, caller)
    await trail.record(trx, 'password_changed', { account: changing.account }, caller)
    return sessions.startOver(trx, changing.account, { ...changing.session, passwordAt: now }, caller)
  })
}
