import type { Account } from '../accounts/account.ts'
import type { Caller } from '../caller.ts'
import { AppError, invalidCredentials } from '../errors.ts'
import { inTransaction, type Trx } from '../platform/database.ts'
import { makePasswordAttempt } from './password-attempt.ts'
import type { SignInRoom } from './room.ts'

export interface Credentials {
  /** Or an address that the account has proven. */
  username: string
  password: string
}

/**
 * Checks a password against guessing. Each attempt that has a place in the hash queue is counted before it is
 * evaluated, for unknown names like for known ones and with the same work. It is evaluated only if the attempts
 * before it in the queue have not started a pause. The work that follows from a right password runs in the
 * transaction that takes the count back.
 *
 * @param inSession whether a live session of the account asks.
 * @throws {AppError} invalid_credentials, too_many_attempts, overloaded
 */
export async function checkCredentials<T>(
  room: Pick<
    SignInRoom,
    'accounts' | 'attempts' | 'db' | 'keyedHash' | 'ownNetworks' | 'passwords' | 'trail'
  >,
  { username, password }: Credentials,
  caller: Caller,
  proceed: (trx: Trx, account: Account) => Promise<T>,
  { inSession = false } = {},
): Promise<T> {
  const { accounts, db, ownNetworks, passwords, trail } = room
  const attempt = makePasswordAttempt(room, caller, inSession)

  let found: Account | undefined
  let begun = false
  let name: Promise<string> | undefined
  /** An address is counted as the username of its account, so that it is no second way to guess. */
  const nameOf = () => (name ??= accounts.usernameOf(username))
  const find = async () => {
    const name = await nameOf()
    const { atHome } = await inTransaction(db, (trx) => attempt.begin(trx, name))
    begun = true
    // Not together with the attempt: where that is paused, how long this takes would tell whether the name is known.
    found = await accounts.byUsername(name)
    return { hash: found?.passwordHash, atHome }
  }
  const isAtHome = async () => inSession || ownNetworks.has(db, await nameOf(), caller)
  const matches = await passwords
    .verify(find, password, { asker: caller, isAtHome, turn: () => attempt.stillOpen() })
    .catch(async (error) => {
      if (begun) await inTransaction(db, (trx) => attempt.takeBack(trx))
      throw error
    })

  const account = found as Account | undefined
  const about = { account, method: 'password' }
  const refuse = () =>
    inTransaction(db, async (trx) => {
      await trail.record(trx, 'password_refused', about, caller)
      if (await attempt.fail(trx)) await trail.record(trx, 'attempts_paused', about, caller)
    })
  if (!account || !matches || account.disabled) {
    await refuse()
    throw invalidCredentials()
  }
  try {
    return await inTransaction(db, async (trx) => {
      await attempt.succeed(trx)
      await trail.record(trx, 'password_accepted', about, caller)
      return proceed(trx, account)
    })
  } catch (error) {
    // The password was changed while its hash was computed. Nothing of the transaction above is stored.
    if (error instanceof AppError && error.code === 'invalid_credentials') await refuse()
    // It was right, and what follows from it cannot be done now.
    else if (error instanceof AppError) await inTransaction(db, (trx) => attempt.takeBack(trx))
    throw error
  }
}
