import type { Caller } from '../caller.ts'
import { noSuchSession } from '../errors.ts'
import { inTransaction } from '../platform/database.ts'
import { findRefreshTokenOwner } from './refresh-token-store.ts'
import type { TokensRoom } from './room.ts'
import type { SignedIn } from './session.ts'
import { stillSignedIn } from './signed-in.ts'

/** Signs out. */
export async function endOwnSession(
  { db, sessions }: TokensRoom,
  { account, session }: SignedIn,
  caller: Caller,
): Promise<void> {
  await inTransaction(db, (trx) => sessions.end(trx, account, session.id, caller))
}

/**
 * Ends the session of a refresh token, also of one that was used: who holds it may do so, and a thief gains nothing by it.
 *
 * @returns whether it had a live session.
 */
export async function endSessionOfRefreshToken(
  { accounts, db, keyedHash, sessions }: TokensRoom,
  token: string,
  caller: Caller,
): Promise<boolean> {
  const tokenHash = keyedHash('refresh token', token)
  return inTransaction(db, async (trx) => {
    const owner = await findRefreshTokenOwner(trx, tokenHash)
    const account = owner && (await accounts.lock(trx, owner.account_id))
    return account ? sessions.end(trx, account, owner.session_id, caller) : false
  })
}

/**
 * Ends one session of the account.
 *
 * @throws {AppError} not_found when the account has no such live session; invalid_token
 */
export async function endSessionOf(
  room: TokensRoom,
  signedIn: SignedIn,
  id: string,
  caller: Caller,
): Promise<void> {
  const ended = await inTransaction(room.db, async (trx) =>
    room.sessions.end(trx, (await stillSignedIn(room, trx, signedIn)).account, id, caller),
  )
  if (!ended) throw noSuchSession()
}

/**
 * Ends every session of the account but this one, and forgets every network of the account but the caller's.
 *
 * @throws {AppError} invalid_token
 */
export async function endOtherSessions(room: TokensRoom, signedIn: SignedIn, caller: Caller): Promise<void> {
  await room.sessions.endSurplus(signedIn.account, caller, signedIn.session.id)
  await inTransaction(room.db, async (trx) => {
    const { account } = await stillSignedIn(room, trx, signedIn)
    await room.sessions.endOthers(trx, signedIn, caller)
    await room.ownNetworks.forgetOthers(trx, account, caller)
  })
}
