import type { Db, Trx } from '../platform/database.ts'
import type { Account } from './account.ts'
import { findAccountById, findAccountByUsername, replacePasswordHash } from './store.ts'

/** What other rooms may ask about accounts. */
export interface Accounts {
  /** @param trx to ask within a transaction. */
  byId(id: string, trx?: Trx): Promise<Account | undefined>
  /** Without regard to case; any text may be asked for. */
  byUsername(username: string): Promise<Account | undefined>
  replacePasswordHash(account: Account, passwordHash: string): Promise<void>
}

export function makeAccounts(db: Db): Accounts {
  return {
    byId: (id, trx) => findAccountById(trx ?? db, id),
    byUsername: (username) => findAccountByUsername(db, username),
    replacePasswordHash: (account, passwordHash) => replacePasswordHash(db, account, passwordHash),
  }
}
