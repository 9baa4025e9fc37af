import { tooManyAttempts } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import {
  blockCounter,
  countFailure,
  deleteCounters,
  failuresOf,
  listClosedFactors,
  resetCounter,
  uncountFailure,
} from './store.ts'

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

const GROWING = { firstPauseSeconds: 30, longestPauseSeconds: 900 }

/** For one factor of one account, over all its challenges. */
export const CODE_POLICY: PausePolicy = { ...GROWING, from: 10, last: 100 }

/** For one username from one address or IPv6 network. */
export const PASSWORD_POLICY: PausePolicy = { ...GROWING, from: 10, last: Number.POSITIVE_INFINITY }

/** For one username from all networks together that never gave its password: strangers, as far as one can tell. */
export const STRANGERS_POLICY: PausePolicy = { ...GROWING, from: 100, last: Number.POSITIVE_INFINITY }

/** Later than any clock will stand: closed until the factor is renewed. */
const NEVER = 8.64e15

/** What a client is told to wait for a factor that waiting does not open. */
const LONGEST_RETRY_AFTER = 365 * 24 * 3600

/**
 * Counts consecutive failures in the database, where a restart, another process or a new challenge does not
 * forget them. A try is counted before it is evaluated, so that a burst cannot have more than it should;
 * afterwards it ends in exactly one of `fail`, `succeed` and `takeBack`.
 */
export interface FailureCounters {
  /**
   * @returns whether a try of this subject was ever right.
   * @throws {AppError} too_many_attempts during a pause; nothing is counted then.
   */
  begin(trx: Trx, subject: string, factor: string): Promise<{ everSucceeded: boolean }>
  /** The try was wrong. @returns whether a pause has begun with it. */
  fail(trx: Trx, subject: string, factor: string, policy: PausePolicy): Promise<boolean>
  /** Only a success of the same factor, or a new one in its place, resets its counter (NIST SP 800-63B-4 section 3.2.2). */
  succeed(trx: Trx, subject: string, factor: string): Promise<void>
  /** The try was not evaluated after all. */
  takeBack(trx: Trx, subject: string, factor: string): Promise<void>
  /** The factors of an account that failed too often and are of no use until they are renewed. */
  closedFactors(db: Db, accountId: string): Promise<string[]>
  /** There is no such subject any more. */
  forget(trx: Trx, subject: string): Promise<void>
}

export function makeFailureCounters({ clock }: { clock: Clock }): FailureCounters {
  return {
    async begin(trx, subject, factor) {
      const now = clock.now()
      const counted = await countFailure(trx, subject, factor, now)
      if ('everSucceeded' in counted) return counted
      const seconds = Math.ceil((counted.blockedUntil - now) / SECOND)
      throw tooManyAttempts(Math.min(seconds, LONGEST_RETRY_AFTER))
    },
    async fail(trx, subject, factor, policy) {
      const failures = await failuresOf(trx, subject, factor)
      const pause = pauseSeconds(failures, policy)
      if (pause === 0) return false
      await blockCounter(trx, subject, factor, Math.min(clock.now() + pause * SECOND, NEVER))
      return true
    },
    succeed: (trx, subject, factor) => resetCounter(trx, subject, factor, clock.now()),
    takeBack: uncountFailure,
    closedFactors: (db, accountId) => listClosedFactors(db, accountId, CODE_POLICY.last),
    forget: deleteCounters,
  }
}

/** The pause after so many consecutive failures, in seconds: it doubles each time, and the last one does not end. */
export function pauseSeconds(failures: number, policy: PausePolicy): number {
  if (failures < policy.from) return 0
  if (failures >= policy.last) return Number.POSITIVE_INFINITY
  return Math.min(policy.firstPauseSeconds * 2 ** (failures - policy.from), policy.longestPauseSeconds)
}
