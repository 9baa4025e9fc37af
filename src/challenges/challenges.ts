import { sql } from 'kysely'
import type { Account } from '../accounts/account.ts'
import { invalidToken } from '../errors.ts'
import { deleteInBatches } from '../platform/batches.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import { newId } from '../platform/ids.ts'
import type { Challenge } from './challenge.ts'
import {
  consumed,
  countedAnswer,
  deleteChallenges,
  findLiveChallenge,
  newChallenge,
  uncountAttempt,
} from './store.ts'

/** The number of attempts after which a challenge is dead. */
export const MAX_ATTEMPTS = 5

/** The life of a challenge: opened once, answered a few times at most, consumed once. */
export type Challenges = ReturnType<typeof makeChallenges>

/** The challenge was consumed, has expired, or had all its attempts. */
export const deadChallenge = () => invalidToken('the challenge is consumed, expired or used up', 'used')

/** @param ttl the life of a challenge in seconds. */
export function makeChallenges({ db, clock, ttl }: { db: Db; clock: Clock; ttl: number }) {
  const answerable = (id: string) => ({ id, now: clock.now(), maxAttempts: MAX_ATTEMPTS })

  return {
    /** @param account locked in this transaction, or made in it: a challenge must not outlive the password that began it. */
    async open(trx: Trx, account: Account): Promise<Challenge> {
      const now = clock.now()
      // NumericDates count seconds: this makes the row and the token expire at the same moment.
      const createdAt = now - (now % 1000)
      const challenge = {
        id: newId(clock),
        accountId: account.id,
        createdAt,
        expiresAt: createdAt + ttl * 1000,
      }
      await newChallenge.run(trx, challenge)
      return challenge
    },

    /** The challenge while it can still be answered. */
    find: (id: string): Promise<Challenge | undefined> => findLiveChallenge(db, answerable(id)),

    /**
     * Spends an attempt.
     *
     * @returns how many are left after this one; -1 when there was none, or the challenge has expired.
     * @throws {AppError} invalid_token when it was consumed.
     */
    async spendAttempt(trx: Trx, id: string): Promise<number> {
      const counted = await countedAnswer.first(trx, answerable(id))
      if (counted) return MAX_ATTEMPTS - counted.wrong_codes
      if (await findLiveChallenge(trx, { id, now: 0, maxAttempts: MAX_ATTEMPTS + 1 })) return -1
      throw deadChallenge()
    },

    /** The attempt was right, and leads to the next step of the same sign-in. */
    giveAttemptBack: uncountAttempt,
    /** The password that these challenges began with is no longer that of the account. */
    endAll: deleteChallenges,
    /** The same for an account that is to be deleted, a batch at a time. */
    async deleteAll(accountId: string): Promise<void> {
      const where = () => sql<boolean>`account_id = ${accountId}`
      await deleteInBatches(db, { table: 'challenges', key: 'id', where })
    },

    /** @throws {AppError} invalid_token when the challenge is dead: what a right answer has done is undone then. */
    async consume(trx: Trx, id: string): Promise<void> {
      if (!(await consumed.wroteOne(trx, answerable(id)))) throw deadChallenge()
    },
  }
}
