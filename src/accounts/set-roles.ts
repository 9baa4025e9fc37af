import type { Caller } from '../caller.ts'
import { inTransaction } from '../platform/database.ts'
import type { Account } from './account.ts'
import type { AccountsRoom } from './room.ts'
import { replaceRoles } from './store.ts'

/**
 * Gives an account these roles and no others. They stand in every access token that is made from now on.
 *
 * @param roles in order, each once.
 * @returns whether it had others before.
 */
export async function setRoles(
  { db, trail }: Pick<AccountsRoom, 'db' | 'trail'>,
  account: Account,
  roles: readonly string[],
  caller: Caller,
): Promise<boolean> {
  const text = roles.join(' ')
  return inTransaction(db, async (trx) => {
    if (!(await replaceRoles(trx, account.id, text))) return false
    await trail.record(trx, 'roles_set', { account, method: text || 'none' }, caller)
    return true
  })
}
