import type { Account } from '../accounts/account.ts'
import type { Accounts } from '../accounts/accounts.ts'
import { CommandFailed } from './terminal/failures.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * The account of an id or a username. Ids come first: nobody is meant who took another's id for a name.
 *
 * @throws {CommandFailed} when there is none.
 */
export async function findAccount(accounts: Accounts, user: string): Promise<Account> {
  const account =
    (UUID.test(user) && (await accounts.byId(user.toLowerCase()))) || (await accounts.byUsername(user))
  if (!account) throw new CommandFailed(`There is no account "${user}".`)
  return account
}
