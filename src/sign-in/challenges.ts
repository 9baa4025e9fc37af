import type { Account } from '../accounts/account.ts'
import { invalidToken } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import { newId } from '../platform/ids.ts'
import {
  consumeChallenge,
  countWrongCode,
  deleteChallenges,
  findLiveChallenge,
  insertChallenge,
} from './store.ts'

/** Wrong codes after which a challenge is dead. */
export const MAX_WRONG_CODES = 5

/** A password was right, a second factor is owed. Its id is the `jti` of the mfa token. */
export interface Challenge {
  id: string
  accountId: string
  /** Epoch milliseconds. */
  createdAt: number
  expiresAt: number
}

/** The life of a challenge: opened once, answered at most a few times, consumed once. */
export interface Challenges {
  /** @throws {AppError} invalid_token when the account's password was changed or the account disabled meanwhile. */
  open(trx: Trx, account: Account): Promise<Challenge>
  /** The challenge while it can still be answered. */
  find(id: string): Promise<Challenge | undefined>
  /**
   * Spends one of the tries, before the code is looked at, so that a burst cannot have more than there are.
   *
   * @returns how many wrong codes are left after this one.
   * @throws {AppError} invalid_token when the challenge is dead.
   */
  spendTry(trx: Trx, id: string): Promise<number>
  /** @throws {AppError} invalid_token when another request was first. */
  consume(trx: Trx, id: string): Promise<void>
  /** The password they began with is not the account's any more. */
  endAll(trx: Trx, accountId: string): Promise<void>
}

/** @param ttl the life of a challenge in seconds. */
export function makeChallenges({ db, clock, ttl }: { db: Db; clock: Clock; ttl: number }): Challenges {
  return {
    async open(trx, account) {
      const now = clock.now()
      // NumericDates count seconds: the row and the token expire at the same moment.
      const createdAt = now - (now % 1000)
      const challenge = {
        id: newId(clock),
        accountId: account.id,
        createdAt,
        expiresAt: createdAt + ttl * 1000,
      }
      if (!(await insertChallenge(trx, challenge, account.passwordSetAt)))
        throw invalidToken('the account changed while its password was checked')
      return challenge
    },

    find: (id) => findLiveChallenge(db, id, clock.now(), MAX_WRONG_CODES),

    async spendTry(trx, id) {
      const wrongCodes = await countWrongCode(trx, id, clock.now(), MAX_WRONG_CODES)
      if (wrongCodes === undefined) throw invalidToken('the challenge is consumed, expired or used up')
      return MAX_WRONG_CODES - wrongCodes
    },

    endAll: deleteChallenges,

    async consume(trx, id) {
      if (!(await consumeChallenge(trx, id, clock.now())))
        throw invalidToken('the challenge was consumed by another request')
    },
  }
}
