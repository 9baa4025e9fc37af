import { tooManyAttempts } from '../errors.ts'
import { CLOCK_SKEW_SECONDS, type Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import {
  blockCounter,
  clearCounters,
  countFailure,
  deleteCounters,
  failuresOf,
  listClosedFactors,
  pauseOf,
  resetCounter,
  unblockCounter,
  unblockCounters,
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

const LONGEST_PAUSE_SECONDS = 900
const GROWING = { firstPauseSeconds: 30, longestPauseSeconds: LONGEST_PAUSE_SECONDS }

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

/** A try that is counted and not decided yet. */
export interface BegunTry {
  /** Whether a try of this subject was ever right. */
  everSucceeded: boolean
  /** In a row, with this one and with all others that are not decided. */
  failures: number
  /** The end of the last pause and that of the one which the try has begun with, if there was one before it. */
  pauses?: { before: number; since: number }
}

/**
 * Counts consecutive failures in the database, where a restart, another process or a new challenge does not
 * forget them. A try is counted before it is evaluated, and after the first pause it brings the next one with it,
 * so that a burst between two pauses has one try; it ends in exactly one of `fail`, `succeed` and `takeBack`.
 */
export interface FailureCounters {
  /** @throws {AppError} too_many_attempts during a pause; nothing is counted then. */
  begin(trx: Trx, subject: string, factor: string, policy: PausePolicy): Promise<BegunTry>
  /**
   * For a try that has waited since it was begun: those before it may have been the last for a while.
   *
   * @throws {AppError} too_many_attempts when a pause has begun meanwhile; the try is to be taken back.
   */
  stillOpen(db: Db, subject: string, factor: string, policy: PausePolicy, begun: BegunTry): Promise<void>
  /** The try was wrong. @returns whether a pause has begun with it. */
  fail(trx: Trx, subject: string, factor: string, policy: PausePolicy): Promise<boolean>
  /** Only a success of the same factor, or a new one in its place, resets its counter (NIST SP 800-63B-4 section 3.2.2). */
  succeed(trx: Trx, subject: string, factor: string): Promise<void>
  /** The try was not evaluated after all. */
  takeBack(trx: Trx, subject: string, factor: string, begun: BegunTry): Promise<void>
  /** The factors of an account that failed too often and are of no use until they are renewed. */
  closedFactors(db: Db, accountId: string): Promise<string[]>
  /** The failures of the subject are forgotten; that it once succeeded is not. */
  clear(trx: Trx, subject: string): Promise<void>
  /** The subject may try again now; its failures stay counted, and what is closed stays closed. */
  endPauses(trx: Trx, subject: string): Promise<void>
  /** There is no such subject any more. */
  forget(trx: Trx, subject: string): Promise<void>
}

export function makeFailureCounters({ clock }: { clock: Clock }): FailureCounters {
  // A pause that ends later than any that begins now anywhere was begun by a clock that was ahead: it is over.
  const paused = (now: number) => ({
    after: now,
    upTo: now + (LONGEST_PAUSE_SECONDS + CLOCK_SKEW_SECONDS) * SECOND,
    or: NEVER,
  })
  const pausedUntil = (end: number, now: number) =>
    tooManyAttempts(Math.min(Math.ceil((end - now) / SECOND), LONGEST_RETRY_AFTER))
  const pauseFrom = (now: number, seconds: number) => Math.min(now + seconds * SECOND, NEVER)

  return {
    async begin(trx, subject, factor, policy) {
      const now = clock.now()
      const counted = await countFailure(trx, subject, factor, now, paused(now))
      if (!counted.counted) {
        throw pausedUntil(counted.blockedUntil, now)
      }
      const { everSucceeded, failures, blockedUntil: before } = counted
      if (before === 0) return { everSucceeded, failures }
      const since = pauseFrom(now, pauseSeconds(failures, policy))
      await blockCounter(trx, subject, factor, since)
      return { everSucceeded, failures, pauses: { before, since } }
    },
    async stillOpen(db, subject, factor, policy, { failures, pauses }) {
      // Too few were under way to bring a pause, or this is the one try of a pause that it has begun itself.
      if (failures < policy.from || pauses) return
      const now = clock.now()
      const end = await pauseOf(db, subject, factor, paused(now))
      if (end !== undefined) throw pausedUntil(end, now)
    },
    async fail(trx, subject, factor, policy) {
      const failures = await failuresOf(trx, subject, factor)
      const pause = pauseSeconds(failures, policy)
      if (pause === 0) return false
      await blockCounter(trx, subject, factor, pauseFrom(clock.now(), pause))
      return true
    },
    succeed: (trx, subject, factor) => resetCounter(trx, subject, factor, clock.now()),
    async takeBack(trx, subject, factor, { pauses }) {
      await uncountFailure(trx, subject, factor)
      if (pauses) await unblockCounter(trx, subject, factor, pauses)
    },
    closedFactors: (db, accountId) => listClosedFactors(db, accountId, CODE_POLICY.last),
    clear: clearCounters,
    endPauses: (trx, subject) => unblockCounters(trx, subject, clock.now(), CODE_POLICY.last),
    forget: deleteCounters,
  }
}

/** The pause after so many consecutive failures, in seconds: it doubles each time, and the last one does not end. */
export function pauseSeconds(failures: number, policy: PausePolicy): number {
  if (failures < policy.from) return 0
  if (failures >= policy.last) return Number.POSITIVE_INFINITY
  return Math.min(policy.firstPauseSeconds * 2 ** (failures - policy.from), policy.longestPauseSeconds)
}
