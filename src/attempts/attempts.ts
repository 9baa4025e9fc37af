import { tooManyAttempts } from '../errors.ts'
import { CLOCK_SKEW_SECONDS, type Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import { CODE_POLICY, LONGEST_PAUSE_SECONDS, type PausePolicy, pauseSeconds } from './policies.ts'
import {
  blockCounter,
  clearCounters,
  countFailure,
  deleteCounters,
  failuresOf,
  listClosedFactors,
  listPauses,
  pauseOf,
  succeedCounter,
  unblockCounter,
  unblockCounters,
  uncountFailure,
} from './store.ts'
import { OWN_NETWORK_MS } from './tables.ts'

const SECOND = 1000

/** Later than any clock shows: closed until the factor is renewed. */
const NEVER = 8.64e15

/** The `Retry-After` of a factor that waiting does not open. */
const LONGEST_RETRY_AFTER = 365 * 24 * 3600

/** An attempt that is counted and not yet decided. */
export interface BegunAttempt {
  /** Whether the subject is a network where the account has signed in fully. */
  ownNetwork: boolean
  /** Failures in a row, including this attempt and all others that are not decided yet. */
  failures: number
  /** The end of the previous pause and of the pause that this attempt has started, if there was a previous one. */
  pauses?: { before: number; since: number }
}

/**
 * Counts consecutive failures in the database, so that a restart, another process or a new challenge does not forget
 * them. An attempt is counted before it is evaluated. After the first pause it also starts the next one, so that only
 * one attempt of a burst passes between two pauses. It ends in exactly one of `fail`, `succeed` and `takeBack`.
 */
export interface Attempts {
  /** @throws {AppError} too_many_attempts during a pause; the attempt is not counted then. */
  begin(trx: Trx, subject: string, factor: string, policy: PausePolicy): Promise<BegunAttempt>
  /**
   * For an attempt that has waited since it began: earlier ones may have started a pause.
   *
   * @throws {AppError} too_many_attempts when a pause has started meanwhile. The caller takes the attempt back.
   */
  stillOpen(db: Db, subject: string, factor: string, policy: PausePolicy, begun: BegunAttempt): Promise<void>
  /** The attempt was wrong. @returns whether it has started a pause. */
  fail(trx: Trx, subject: string, factor: string, policy: PausePolicy): Promise<boolean>
  /** The attempt was right. Only that starts its counter again (NIST SP 800-63B-4 section 3.2.2). */
  succeed(trx: Trx, subject: string, factor: string): Promise<void>
  /** The attempt was not evaluated after all. */
  takeBack(trx: Trx, subject: string, factor: string, begun: BegunAttempt): Promise<void>
  /** The factors of an account that failed too often and answer nothing until they are renewed. */
  closed(db: Db, accountId: string): Promise<string[]>
  /** Forgets the failures of the subject, or only the ones of a factor that a new one replaces. */
  clear(trx: Trx, subject: string, factor?: string): Promise<void>
  /** Lets the subject try again now. Its failures stay counted, and closed factors stay closed. */
  endPauses(trx: Trx, subject: string): Promise<void>
  /** The pauses of the subject that are on and will end. `until` is in epoch milliseconds. */
  pauses(db: Db, subject: string): Promise<{ factor: string; until: number }[]>
  /** The subjects no longer exist. */
  forget(trx: Trx, subjects: readonly string[]): Promise<void>
}

export function makeAttempts({ clock }: { clock: Clock }): Attempts {
  // A pause that ends later than any that a host could start now was started by a clock that was ahead. It is over.
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
      const counted = await countFailure(trx, subject, factor, {
        now,
        ownAfter: now - OWN_NETWORK_MS,
        paused: paused(now),
      })
      if (!counted.counted) {
        throw pausedUntil(counted.blockedUntil, now)
      }
      const { ownNetwork, failures, blockedUntil: before } = counted
      if (before === 0) return { ownNetwork, failures }
      const since = pauseFrom(now, pauseSeconds(failures, policy))
      await blockCounter(trx, subject, factor, since)
      return { ownNetwork, failures, pauses: { before, since } }
    },
    async stillOpen(db, subject, factor, policy, { failures, pauses }) {
      // There are too few failures for a pause, or this attempt has started the pause itself and is its one attempt.
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
    succeed: (trx, subject, factor) => succeedCounter(trx, subject, factor, clock.now()),
    async takeBack(trx, subject, factor, { pauses }) {
      await uncountFailure(trx, subject, factor)
      if (pauses) await unblockCounter(trx, subject, factor, pauses)
    },
    closed: (db, accountId) => listClosedFactors(db, accountId, CODE_POLICY.last),
    clear: clearCounters,
    endPauses: (trx, subject) => unblockCounters(trx, subject, clock.now(), NEVER),
    pauses: async (db, subject) =>
      (await listPauses(db, subject, paused(clock.now()))).map(({ factor, blocked_until: until }) => ({
        factor,
        until,
      })),
    forget: deleteCounters,
  }
}
