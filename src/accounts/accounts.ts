import type { Db, Trx } from '../platform/database.ts'
import type { Account } from './account.ts'
import { findAccountById, findAccountByUsername, replacePasswordHash } from './store.ts'

/** What other rooms may ask about accounts. */
export interface Accounts {
  byId(id: string): Promise<Account | undefined>
  /** Without regard to case; any text may be asked for. */
  byUsername(username: string): Promise<Account | undefined>
  replacePasswordHash(account: Account, passwordHash: string): Promise<void>
}

export function makeAccounts(db: Db | Trx): Accounts {
  return {
    byId: (id) => findAccountById(db, id),
    byUsername: (username) => findAccountByUsername(db, username),
    replacePasswordHash: (account, passwordHash) => replacePasswordHash(db, account, passwordHash),
  }
}
