import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import { CommandFailed } from './terminal/failures.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Finds an account by its id or username. Ids come first: a person who took the id of another account as a name is
 * not meant.
 *
 * @throws {CommandFailed} when there is none.
 */
export async function findAccount(accounts: Accounts, user: string): Promise<Account> {
  const account =
    (UUID.test(user) && (await accounts.byId(user.toLowerCase()))) || (await accounts.byUsername(user))
  if (!account) throw new CommandFailed(`There is no account "${user}".`)
  return account
}
