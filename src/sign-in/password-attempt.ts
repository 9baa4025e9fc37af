import type { BegunAttempt } from '../attempts/attempts.ts'
import { PASSWORD_POLICY, type PausePolicy, STRANGERS_POLICY } from '../attempts/policies.ts'
import { anywhere, from } from '../attempts/subjects.ts'
import type { Caller } from '../caller.ts'
import type { Trx } from '../platform/database.ts'
import type { SignInRoom } from './room.ts'

const FACTOR = 'password'

/**
 * One attempt at a password. It is counted for the name from this network, and perhaps for the name from all
 * strangers.
 */
interface PasswordAttempt {
  /** @returns whether the caller is in a network of the account. @throws {AppError} too_many_attempts */
  begin(trx: Trx, username: string): Promise<{ atHome: boolean }>
  /** @throws {AppError} too_many_attempts */
  stillOpen(): Promise<void>
  /** @returns whether a pause has begun. */
  fail(trx: Trx): Promise<boolean>
  takeBack(trx: Trx): Promise<void>
  succeed(trx: Trx): Promise<void>
}

interface Budget {
  subject: string
  policy: PausePolicy
}

/**
 * Counts for the name from this network. Unless that is the account's own, it also counts for the name from all such
 * networks together: many strangers share one budget, and cannot use up that of the owner at home.
 *
 * @param inSession whether the attempt comes from a live session of the account: that is no stranger's, wherever it is.
 */
export function makePasswordAttempt(
  { attempts, db, keyedHash }: Pick<SignInRoom, 'attempts' | 'db' | 'keyedHash'>,
  caller: Caller,
  inSession: boolean,
): PasswordAttempt {
  const counted: (Budget & { begun: BegunAttempt })[] = []
  let subjects = { here: '', strangers: '' }

  async function count(trx: Trx, subject: string, policy: PausePolicy): Promise<BegunAttempt> {
    const begun = await attempts.begin(trx, subject, FACTOR, policy)
    counted.push({ subject, policy, begun })
    return begun
  }

  return {
    async begin(trx, username) {
      // A transaction may run twice.
      counted.length = 0
      subjects = { here: from(keyedHash, username, caller.ip), strangers: anywhere(keyedHash, username) }
      const { ownNetwork } = await count(trx, subjects.here, PASSWORD_POLICY)
      const atHome = ownNetwork || inSession
      if (!atHome) await count(trx, subjects.strangers, STRANGERS_POLICY)
      return { atHome }
    },
    async stillOpen() {
      for (const { subject, policy, begun } of counted)
        await attempts.stillOpen(db, subject, FACTOR, policy, begun)
    },
    async fail(trx) {
      let paused = false
      for (const { subject, policy } of counted)
        if (await attempts.fail(trx, subject, FACTOR, policy)) paused = true
      return paused
    },
    async takeBack(trx) {
      for (const { subject, begun } of counted) await attempts.takeBack(trx, subject, FACTOR, begun)
    },
    succeed: (trx) => attempts.succeed(trx, subjects.here, FACTOR, subjects.strangers),
  }
}
