import { invalidToken } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import type { Account } from './account.ts'
import {
  dropEmailFactor,
  findAccountById,
  findAccountByUsername,
  findTaken,
  lockAccount,
  proveMailbox,
  replacePasswordHash,
  trustMailbox,
} from './store.ts'

/** What other rooms may ask about accounts. */
export interface Accounts {
  byId(id: string): Promise<Account | undefined>
  /** Without regard to case; any text may be asked for. */
  byUsername(username: string): Promise<Account | undefined>
  /**
   * The account as it stands, and for this transaction alone until it ends: what is decided by the rows of an account
   * stays true until the decision is stored. It comes before all else that belongs to the account, so that no two
   * transactions wait for each other.
   */
  lock(trx: Trx, id: string): Promise<Account | undefined>
  /**
   * The same, for those who have shown a token of it.
   *
   * @throws {AppError} invalid_token when it is gone or disabled.
   */
  present(trx: Trx, id: string): Promise<Account>
  /** Which names (in lower case) and ids of these are those of accounts. */
  taken(some: readonly { id: string; username: string }[]): Promise<{ keys: Set<string>; ids: Set<string> }>
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
    byId: (id) => findAccountById(db, id),
    taken: (some) => findTaken(db, some),
    byUsername: (username) => findAccountByUsername(db, username),
    lock: lockAccount,
    async present(trx, id) {
      const account = await lockAccount(trx, id)
      if (!account || account.disabled) throw invalidToken('the account is gone')
      return account
    },
    proveMailbox: (trx, accountId) => proveMailbox(trx, accountId, clock.now()),
    dropEmailFactor,
    trustMailbox,
    replacePasswordHash: (account, passwordHash) => replacePasswordHash(db, account, passwordHash),
  }
}
