import type { Caller } from '../caller.ts'
import { AppError } from '../errors.ts'
import { inTransaction } from '../platform/database.ts'
import type { SignedIn } from '../tokens/session.ts'
import { stillSignedIn } from '../tokens/signed-in.ts'
import { checkCredentials } from './credentials.ts'
import type { SignInRoom } from './room.ts'

type Room = Pick<
  SignInRoom,
  'accounts' | 'attempts' | 'db' | 'keyedHash' | 'ownNetworks' | 'passwords' | 'sessions' | 'trail'
>

/**
 * Checks the password within a session and goes on. Wrong ones are not counted for all networks together, because no
 * stranger asks. Instead each try counts as a step-up of the session, which has five in a row.
 *
 * @param proceed what is done with the right password. When it fails, the try is not counted.
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
  const { account, session } = signedIn
  // In a transaction of its own: nothing else may wait for a hash.
  await inTransaction(db, async (trx) => {
    await stillSignedIn(room, trx, signedIn)
    await sessions.countStepUp(trx, session)
  })
  try {
    const credentials = { username: account.username, password }
    await checkCredentials(room, credentials, caller, async () => {}, { inSession: true })
    return await proceed()
  } catch (error) {
    const wasWrong = error instanceof AppError && error.code === 'invalid_credentials'
    if (!wasWrong) await inTransaction(db, (trx) => sessions.uncountStepUp(trx, session))
    throw error
  }
}
