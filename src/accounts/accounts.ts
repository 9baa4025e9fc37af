import { invalidToken } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import { addressKey } from '../values/email-address.ts'
import { usernameKey } from '../values/username.ts'
import type { Account } from './account.ts'
import * as store from './store.ts'

/** Accounts for other rooms. */
export type Accounts = ReturnType<typeof makeAccounts>

export function makeAccounts({ db, clock }: { db: Db; clock: Clock }) {
  return {
    byId: (id: string, within: Db = db): Promise<Account | undefined> => store.findAccountById(within, id),

    /** Finds an account without regard to case. The username may be any text. */
    byUsername: (username: string): Promise<Account | undefined> => store.findAccountByUsername(db, username),

    /**
     * Whose name it is that a person has typed: the account with this username or, where none has it, the only open
     * one that has proven this address. What is no address costs no statement, and every address costs one.
     *
     * @returns where that is no account: the text itself, or the one spelling that guesses at this address count for.
     */
    async usernameOf(typed: string): Promise<string> {
      const address = addressKey(typed)
      if (address === undefined) return typed
      const [first, second] = await store.findAccountsByAddress(db, address, 2)
      const named = first && (!second || usernameKey(first.username) === address)
      return named ? first.username : address
    },

    /**
     * Reads the account and locks it until the transaction ends, so that what is decided by its rows stays true until
     * the decision is stored. It comes before all other rows of the account, so that no two transactions wait for each
     * other.
     */
    lock: store.lockAccount,

    /** Waits while every account is locked: then no one can sign in. */
    lockAny: store.lockAnyAccount,

    /**
     * Locks the account of a caller who has shown a token for it.
     *
     * @throws {AppError} invalid_token when the account is gone or disabled.
     */
    async present(trx: Trx, id: string): Promise<Account> {
      const account = await store.lockAccount(trx, id)
      if (!account || account.disabled) throw invalidToken('the account is gone')
      return account
    },

    /** Which of these usernames (in lower case) and ids are taken. */
    taken: (some: readonly { id: string; username: string }[]) => store.findTaken(db, some),

    replacePasswordHash: (account: Account, passwordHash: string): Promise<void> =>
      store.replacePasswordHash(db, account, passwordHash),

    /** The account is in use, or an operator has taken it up: it is not removed by itself any more. */
    async keep(trx: Trx, { id, provisional }: Account): Promise<void> {
      if (provisional) await store.keepAccount(trx, id)
    },

    /**
     * Counts a change of the account, which makes every account token void that was handed out before.
     *
     * @returns whether the account still had this count: of several changes by one token, one is made.
     */
    countChange: (trx: Trx, { id, changeCount }: Account): Promise<boolean> =>
      store.countChange(trx, id, changeCount),

    /** @param at when its owner was told of a new network, in epoch milliseconds; 0 for the first one, which is none. */
    noteNewNetwork: (trx: Trx, { id }: Account, at: number): Promise<void> =>
      store.newNetworkAt.run(trx, { id, at }),

    /** A code that was mailed to the address of the account came back. */
    proveAddress: (trx: Trx, accountId: string): Promise<void> =>
      store.proveAddress(trx, accountId, clock.now()),
  }
}
