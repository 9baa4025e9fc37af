import type { Caller } from '../caller.ts'
import { registrationClosed, usernameReserved } from '../errors.ts'
import { beginSignIn, type LoginOutcome } from '../sign-in/login.ts'
import type { Account } from './account.ts'
import { createAccount, type NewAccount } from './create-account.ts'
import type { AccountsRoom } from './room.ts'

/**
 * Makes an account. Its password has just been given, so what follows is what follows a login.
 *
 * @throws {AppError} registration_closed, username_taken, password_rejected, overloaded
 */
export async function register(
  room: AccountsRoom,
  registration: Omit<NewAccount, 'emailVerified'>,
  caller: Caller,
): Promise<{ account: Account; outcome: LoginOutcome }> {
  if (!room.registrationOpen) throw registrationClosed()
  if (room.isReserved(registration.username)) throw usernameReserved()
  return createAccount(room, registration, caller, async (trx, account) => {
    // Inside the transaction: an error after the commit would hide that the account was made.
    return { account, outcome: await beginSignIn(room, trx, account.id, account, caller) }
  })
}
