import type { Account } from '../accounts/account.ts'
import type { Caller } from '../caller.ts'
import { AppError, invalidCredentials, type ProblemCode } from '../errors.ts'
import { inTransaction, type Trx } from '../platform/database.ts'
import type { SignedIn } from '../tokens/session.ts'
import { stillSignedIn } from '../tokens/signed-in.ts'
import { checkCredentials } from './credentials.ts'
import type { SignInRoom } from './room.ts'

type Room = Pick<
  SignInRoom,
  'accounts' | 'attempts' | 'db' | 'keyedHash' | 'ownNetworks' | 'passwords' | 'sessions' | 'trail'
>

/** What was looked at and is wrong: the password, or the answer that came with it. */
const WRONG: readonly ProblemCode[] = ['invalid_credentials', 'invalid_code', 'passkey_rejected']

/**
 * Checks the password within a session and goes on. Wrong ones are not counted for all networks together, because no
 * stranger asks. Instead each try counts as a step-up of the session, which has five in a row.
 *
 * @param proceed what is done with the right password. When it fails before a wrong answer was looked at, the try is
 * not counted.
 * @throws {AppError} invalid_credentials, invalid_token, too_many_attempts, overloaded
 */
export async function withPasswordInSession<T>(
  room: Room,
  signedIn: SignedIn,
  password: string,
  caller: Caller,
  proceed: () => Promise<T>,
): Promise<T> {
  const { db, sessions } = room
  const { session } = signedIn
  // In a transaction of its own: nothing else may wait for a hash.
  const account = await inTransaction(db, async (trx) => {
    const present = await stillSignedIn(room, trx, signedIn)
    await sessions.countStepUp(trx, session)
    return present.account
  })
  try {
    const credentials = { username: account.username, password }
    // Another account may have taken the name since: an operator can give this one a new name at any moment.
    const isOwn = async (_trx: Trx, { id }: Account) => {
      if (id !== account.id) throw invalidCredentials()
    }
    await checkCredentials(room, credentials, caller, isOwn, { inSession: true })
    return await proceed()
  } catch (error) {
    const wasWrong = error instanceof AppError && WRONG.includes(error.code)
    if (!wasWrong) await inTransaction(db, (trx) => sessions.uncountStepUp(trx, session))
    throw error
  }
}
