import { sql } from 'kysely'
import type { Account } from '../accounts/account.ts'
import { invalidToken } from '../errors.ts'
import { deleteInBatches } from '../platform/batches.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import { newId } from '../platform/ids.ts'
import type { Challenge } from './challenge.ts'
import {
  consumeChallenge,
  countAttempt,
  deleteChallenges,
  findLiveChallenge,
  insertChallenge,
  uncountAttempt,
} from './store.ts'

/** The number of attempts after which a challenge is dead. */
export const MAX_ATTEMPTS = 5

/** The life of a challenge: opened once, answered a few times at most, consumed once. */
export interface Challenges {
  /**
   * @param account locked in this transaction, or made in it: a challenge must not outlive the password that began
   * it.
   */
  open(trx: Trx, account: Account): Promise<Challenge>
  /** The challenge while it can still be answered. */
  find(id: string): Promise<Challenge | undefined>
  /**
   * Spends an attempt.
   *
   * @returns how many are left after this one; -1 when there was none, or the challenge has expired.
   * @throws {AppError} invalid_token when it was consumed.
   */
  spendAttempt(trx: Trx, id: string): Promise<number>
  /** The attempt was right, and leads to the next step of the same sign-in. */
  giveAttemptBack(trx: Trx, id: string): Promise<void>
  /** @throws {AppError} invalid_token when the challenge is dead: what a right answer has done is undone then. */
  consume(trx: Trx, id: string): Promise<void>
  /** The password that these challenges began with is no longer that of the account. */
  endAll(trx: Trx, accountId: string): Promise<void>
  /** The same for an account that is to be deleted, a batch at a time. */
  deleteAll(accountId: string): Promise<void>
}

/** The challenge was consumed, has expired, or had all its attempts. */
export const deadChallenge = () => invalidToken('the challenge is consumed, expired or used up', 'used')

/** @param ttl the life of a challenge in seconds. */
export function makeChallenges({ db, clock, ttl }: { db: Db; clock: Clock; ttl: number }): Challenges {
  const answerable = (id: string) => ({ id, now: clock.now(), maxAttempts: MAX_ATTEMPTS })

  return {
    async open(trx, account) {
      const now = clock.now()
      // NumericDates count seconds: this makes the row and the token expire at the same moment.
      const createdAt = now - (now % 1000)
      const challenge = {
        id: newId(clock),
        accountId: account.id,
        createdAt,
        expiresAt: createdAt + ttl * 1000,
      }
      await insertChallenge(trx, challenge)
      return challenge
    },

    find: (id) => findLiveChallenge(db, answerable(id)),

    async spendAttempt(trx, id) {
      const attempts = await countAttempt(trx, answerable(id))
      if (attempts !== undefined) return MAX_ATTEMPTS - attempts
      if (await findLiveChallenge(trx, { id, now: 0, maxAttempts: MAX_ATTEMPTS + 1 })) return -1
      throw deadChallenge()
    },

    giveAttemptBack: uncountAttempt,
    endAll: deleteChallenges,
    async deleteAll(accountId) {
      const where = () => sql<boolean>`account_id = ${accountId}`
      await deleteInBatches(db, { table: 'challenges', key: 'id', where })
    },

    async consume(trx, id) {
      if (!(await consumeChallenge(trx, answerable(id)))) throw deadChallenge()
    },
  }
}
