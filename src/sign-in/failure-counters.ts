import { tooManyAttempts } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Trx } from '../platform/database.ts'
import { blockCounter, countFailure, deleteCounter, failuresOf, uncountFailure } from './store.ts'

const SECOND = 1000

/** How the pauses of one kind of counter grow with consecutive failures. */
export interface PausePolicy {
  /** The failure that brings the first pause. */
  from: number
  firstPauseSeconds: number
  longestPauseSeconds: number
  /** The last failure that is ever evaluated (NIST SP 800-63B-4 section 3.2.2: at most 100). */
  last: number
}

/** For one factor of one account, over all its challenges. */
export const CODE_POLICY: PausePolicy = {
  from: 10,
  firstPauseSeconds: 30,
  longestPauseSeconds: 900,
  last: 100,
}

/** For one username from one address or IPv6 network. */
export const PASSWORD_POLICY: PausePolicy = {
  from: 10,
  firstPauseSeconds: 30,
  longestPauseSeconds: 900,
  last: Number.POSITIVE_INFINITY,
}

/** A factor that failed this often stays closed; the time only has to be later than anybody waits. */
const CLOSED_FOR_SECONDS = 365 * 24 * 3600

/**
 * Counts consecutive failures in the database, where a restart, another process or a new challenge does not
 * forget them. A try is counted before it is evaluated, so that a burst cannot have more than it should;
 * afterwards it ends in exactly one of `fail`, `succeed` and `takeBack`.
 */
export interface FailureCounters {
  /** @throws {AppError} too_many_attempts during a pause; nothing is counted then. */
  begin(trx: Trx, subject: string, factor: string): Promise<void>
  /** The try was wrong. @returns whether a pause has begun with it. */
  fail(trx: Trx, subject: string, factor: string, policy: PausePolicy): Promise<boolean>
  /** Only a success of the same factor resets its counter (NIST SP 800-63B-4 section 3.2.2). */
  succeed(trx: Trx, subject: string, factor: string): Promise<void>
  /** The try was not evaluated after all. */
  takeBack(trx: Trx, subject: string, factor: string): Promise<void>
}

export function makeFailureCounters({ clock }: { clock: Clock }): FailureCounters {
  return {
    async begin(trx, subject, factor) {
      const now = clock.now()
      const blockedUntil = await countFailure(trx, subject, factor, now)
      if (blockedUntil !== undefined) throw tooManyAttempts(Math.ceil((blockedUntil - now) / SECOND))
    },
    async fail(trx, subject, factor, policy) {
      const failures = await failuresOf(trx, subject, factor)
      const pause = pauseSeconds(failures, policy)
      if (pause === 0) return false
      await blockCounter(trx, subject, factor, clock.now() + pause * SECOND)
      return true
    },
    succeed: deleteCounter,
    takeBack: uncountFailure,
  }
}

/** The pause after so many consecutive failures, in seconds: it doubles each time. */
export function pauseSeconds(failures: number, policy: PausePolicy): number {
  if (failures < policy.from) return 0
  if (failures >= policy.last) return CLOSED_FOR_SECONDS
  return Math.min(policy.firstPauseSeconds * 2 ** (failures - policy.from), policy.longestPauseSeconds)
}
