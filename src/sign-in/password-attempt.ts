import type { BegunAttempt } from '../attempts/attempts.ts'
import { PASSWORD_POLICY, type PausePolicy, STRANGERS_POLICY } from '../attempts/policies.ts'
import { anywhere, from } from '../attempts/subjects.ts'
import type { Caller } from '../caller.ts'
import type { Trx } from '../platform/database.ts'
import type { SignInRoom } from './room.ts'

const FACTOR = 'password'

interface Budget {
  subject: string
  policy: PausePolicy
}

/**
 * One attempt at a password. It counts for the name from this network. Unless that is the account's own, it also counts
 * for the name from all such networks together: many strangers share one budget, and cannot use up that of the owner at
 * home.
 *
 * @param inSession whether the attempt comes from a live session of the account: that is no stranger's, wherever it is.
 */
export function makePasswordAttempt(
  { attempts, db, keyedHash }: Pick<SignInRoom, 'attempts' | 'db' | 'keyedHash'>,
  caller: Caller,
  inSession: boolean,
) {
  const counted: (Budget & { begun: BegunAttempt })[] = []
  let subjects = { here: '', strangers: '' }

  async function count(trx: Trx, subject: string, policy: PausePolicy): Promise<BegunAttempt> {
    const begun = await attempts.begin(trx, subject, FACTOR, policy)
    counted.push({ subject, policy, begun })
    return begun
  }

  return {
    /** @returns whether the caller is in a network of the account. @throws {AppError} too_many_attempts */
    async begin(trx: Trx, username: string): Promise<{ atHome: boolean }> {
      // A transaction may run twice.
      counted.length = 0
      subjects = { here: from(keyedHash, username, caller.ip), strangers: anywhere(keyedHash, username) }
      const { ownNetwork } = await count(trx, subjects.here, PASSWORD_POLICY)
      const atHome = ownNetwork || inSession
      if (!atHome) await count(trx, subjects.strangers, STRANGERS_POLICY)
      return { atHome }
    },
    /** @throws {AppError} too_many_attempts */
    async stillOpen(): Promise<void> {
      for (const { subject, policy, begun } of counted)
        await attempts.stillOpen(db, subject, FACTOR, policy, begun)
    },
    /** @returns whether a pause has begun. */
    async fail(trx: Trx): Promise<boolean> {
      let paused = false
      for (const { subject, policy } of counted)
        if (await attempts.fail(trx, subject, FACTOR, policy)) paused = true
      return paused
    },
    async takeBack(trx: Trx): Promise<void> {
      for (const { subject, begun } of counted) await attempts.takeBack(trx, subject, FACTOR, begun)
    },
    succeed: (trx: Trx): Promise<void> => attempts.succeed(trx, subjects.here, FACTOR, subjects.strangers),
  }
}
