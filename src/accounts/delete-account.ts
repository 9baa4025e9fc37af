import type { AccountPrincipal } from '../api/principal.ts'
import type { Caller } from '../caller.ts'
import { beginGraveChange, prepareGraveChange } from '../factors/change.ts'
import { inTransaction } from '../platform/database.ts'
import type { Account } from './account.ts'
import type { AccountsRoom } from './room.ts'
import * as store from './store.ts'

/**
 * Deletes an account with all its rows. Its tokens are dead at once. Rows of which there may be very many are deleted
 * before it, in batches: when that is interrupted, the account has lost only sessions beyond the limit, sign-ins under
 * way and what is dead.
 *
 * @param asking the owner, by an account token, or the account that an operator has found.
 * @throws {AppError} invalid_token, insufficient_user_authentication
 */
export async function deleteAccount(
  room: AccountsRoom,
  asking: AccountPrincipal | { account: Account },
  caller: Caller,
): Promise<void> {
  const { attempts, challenges, db, sessions, trail } = room
  const { account } = asking
  const owner = 'claims' in asking ? asking : null
  if (owner) await inTransaction(db, (trx) => prepareGraveChange(room, trx, owner))
  await sessions.endSurplus(account, caller, owner?.session.id)
  await sessions.deleteDead(account.id)
  await challenges.deleteAll(account.id)
  await inTransaction(db, async (trx) => {
    if (owner) await beginGraveChange(room, trx, owner)
    if (!(await store.deleteAccount(trx, account.id))) return
    await attempts.forget(trx, [account.id])
    await trail.forgetUsernames(trx, account.id)
    await trail.record(trx, 'account_deleted', { account }, caller)
  })
}
