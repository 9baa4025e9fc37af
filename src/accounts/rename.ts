import type { Caller } from '../caller.ts'
import { usernameTaken } from '../errors.ts'
import { inTransaction } from '../platform/database.ts'
import type { Account } from './account.ts'
import type { AccountsRoom } from './room.ts'
import { findAccountByUsername, replaceUsername } from './store.ts'

/**
 * Gives an account another username, in force at once. Its networks are kept under the old name, so it has none of its
 * own until the next sign-in, and an account that takes the old name finds none.
 *
 * @param username of the allowed form.
 * @returns whether the account is still there.
 * @throws {AppError} username_taken
 */
export async function renameAccount(
  { accounts, db, ownNetworks, trail }: Pick<AccountsRoom, 'accounts' | 'db' | 'ownNetworks' | 'trail'>,
  { id }: Account,
  username: string,
  caller: Caller,
): Promise<boolean> {
  const renaming = inTransaction(db, async (trx) => {
    const account = await accounts.lock(trx, id)
    if (!account) return false
    if (account.username === username) return true
    await replaceUsername(trx, id, username)
    await ownNetworks.forgetOthers(trx, account, caller)
    const method = `${account.username} -> ${username}`
    await trail.record(trx, 'account_renamed', { account: { ...account, username }, method }, caller)
    return true
  })
  return renaming.catch(async (error) => {
    // The unique index decides, also between two who take the name at once.
    const named = await inTransaction(db, (trx) => findAccountByUsername(trx, username))
    throw named && named.id !== id ? usernameTaken() : error
  })
}
