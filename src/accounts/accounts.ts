import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import type { Account } from './account.ts'
import {
  dropEmailFactor,
  findAccountById,
  findAccountByUsername,
  proveMailbox,
  replacePasswordHash,
  trustMailbox,
} from './store.ts'

/** What other rooms may ask about accounts. */
export interface Accounts {
  /** @param trx to ask within a transaction. */
  byId(id: string, trx?: Trx): Promise<Account | undefined>
  /** Without regard to case; any text may be asked for. */
  byUsername(username: string): Promise<Account | undefined>
  replacePasswordHash(account: Account, passwordHash: string): Promise<void>
  /**
   * A code from the mailbox came back: the address is proven, and a factor from now on.
   *
   * @returns whether it was none before.
   */
  proveMailbox(trx: Trx, accountId: string): Promise<boolean>
  dropEmailFactor(trx: Trx, accountId: string): Promise<void>
  /** A factor other than the mailbox was shown: codes to it count again after a reset by mail. */
  trustMailbox(trx: Trx, accountId: string): Promise<void>
}

export function makeAccounts({ db, clock }: { db: Db; clock: Clock }): Accounts {
  return {
    byId: (id, trx) => findAccountById(trx ?? db, id),
    byUsername: (username) => findAccountByUsername(db, username),
    proveMailbox: (trx, accountId) => proveMailbox(trx, accountId, clock.now()),
    dropEmailFactor,
    trustMailbox,
    replacePasswordHash: (account, passwordHash) => replacePasswordHash(db, account, passwordHash),
  }
}
