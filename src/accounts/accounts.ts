import { invalidToken } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import type { Account } from './account.ts'
import {
  countChange,
  findAccountById,
  findAccountByUsername,
  findTaken,
  keepAccount,
  lockAccount,
  proveAddress,
  replacePasswordHash,
} from './store.ts'

/** The interface of accounts for other rooms. */
export interface Accounts {
  byId(id: string): Promise<Account | undefined>
  /** Finds an account without regard to case. The username may be any text. */
  byUsername(username: string): Promise<Account | undefined>
  /**
   * Reads the account and locks it until the transaction ends, so that what is decided by its rows stays true until
   * the decision is stored. It comes before all other rows of the account, so that no two transactions wait for each
   * other.
   */
  lock(trx: Trx, id: string): Promise<Account | undefined>
  /**
   * Locks the account of a caller who has shown a token for it.
   *
   * @throws {AppError} invalid_token when the account is gone or disabled.
   */
  present(trx: Trx, id: string): Promise<Account>
  /** Which of these usernames (in lower case) and ids are taken. */
  taken(some: readonly { id: string; username: string }[]): Promise<{ keys: Set<string>; ids: Set<string> }>
  replacePasswordHash(account: Account, passwordHash: string): Promise<void>
  /** The account is in use, or an operator has taken it up: it is not removed by itself any more. */
  keep(trx: Trx, account: Account): Promise<void>
  /**
   * Counts a change of the account, which makes every account token void that was handed out before.
   *
   * @returns whether the account still had this count: of several changes by one token, one is made.
   */
  countChange(trx: Trx, account: Account): Promise<boolean>
  /** A code that was mailed to the address of the account came back. */
  proveAddress(trx: Trx, accountId: string): Promise<void>
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
    async keep(trx, { id, provisional }) {
      if (provisional) await keepAccount(trx, id)
    },
    countChange: (trx, { id, changeCount }) => countChange(trx, id, changeCount),
    proveAddress: (trx, accountId) => proveAddress(trx, accountId, clock.now()),
    replacePasswordHash: (account, passwordHash) => replacePasswordHash(db, account, passwordHash),
  }
}
