import { tooManyAttempts } from '../errors.ts'
import { CLOCK_SKEW_SECONDS, type Clock } from '../platform/clock.ts'
import type { Db, Trx } from '../platform/database.ts'
import { CODE_POLICY, LONGEST_PAUSE_SECONDS, type PausePolicy, pauseSeconds } from './policies.ts'
import * as store from './store.ts'
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
export type Attempts = ReturnType<typeof makeAttempts>

export function makeAttempts({ clock }: { clock: Clock }) {
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
    /** @throws {AppError} too_many_attempts during a pause; the attempt is not counted then. */
    async begin(trx: Trx, subject: string, factor: string, policy: PausePolicy): Promise<BegunAttempt> {
      const now = clock.now()
      const counter = { subject, factor, ...paused(now) }
      const counted = await store.countFailure.first(trx, { ...counter, now, ownAfter: now - OWN_NETWORK_MS })
      if (!counted) throw pausedUntil((await store.runningPause.first(trx, counter))?.blocked_until ?? 0, now)
      const { failures, blocked_until: before } = counted
      const ownNetwork = Boolean(counted.own_network)
      if (before === 0) return { ownNetwork, failures }
      const since = pauseFrom(now, pauseSeconds(failures, policy))
      await store.setPause(trx, counter, since)
      return { ownNetwork, failures, pauses: { before, since } }
    },

    /**
     * For an attempt that has waited since it began: earlier ones may have started a pause.
     *
     * @throws {AppError} too_many_attempts when a pause has started meanwhile. The caller takes the attempt back.
     */
    async stillOpen(
      db: Db,
      subject: string,
      factor: string,
      policy: PausePolicy,
      { failures, pauses }: BegunAttempt,
    ): Promise<void> {
      // There are too few failures for a pause, or this attempt has started the pause itself and is its one attempt.
      if (failures < policy.from || pauses) return
      const now = clock.now()
      const pause = await store.runningPause.first(db, { subject, factor, ...paused(now) })
      if (pause) throw pausedUntil(pause.blocked_until, now)
    },

    /** The attempt was wrong. @returns whether it has started a pause. */
    async fail(trx: Trx, subject: string, factor: string, policy: PausePolicy): Promise<boolean> {
      const counter = { subject, factor }
      // None when another request has reset the counter by a success meanwhile.
      const { failures = 0 } = (await store.failuresSoFar.first(trx, counter)) ?? {}
      const pause = pauseSeconds(failures, policy)
      if (pause === 0) return false
      await store.setPause(trx, counter, pauseFrom(clock.now(), pause))
      return true
    },

    /**
     * The attempt was right. Only that starts its counter again (NIST SP 800-63B-4 section 3.2.2).
     *
     * @param also another subject that it was counted for.
     */
    succeed: (trx: Trx, subject: string, factor: string, also = subject): Promise<void> =>
      store.succeedCounters.run(trx, { subject, also, factor, now: clock.now() }),

    /** The attempt was not evaluated after all. */
    async takeBack(trx: Trx, subject: string, factor: string, { pauses }: BegunAttempt): Promise<void> {
      await store.uncountFailure(trx, subject, factor)
      if (pauses) await store.setPause(trx, { subject, factor }, pauses.before, pauses.since)
    },

    /** The factors of an account that failed too often and answer nothing until they are renewed. */
    async closed(db: Db, accountId: string): Promise<string[]> {
      const rows = await store.closedFactors.all(db, { subject: accountId, last: CODE_POLICY.last })
      return rows.map(({ factor }) => factor)
    },

    /** Forgets the failures of the subject, or only the ones of a factor that a new one replaces. */
    clear: store.clearCounters,

    /** Lets the subject try again now. Its failures stay counted, and closed factors stay closed. */
    endPauses: (trx: Trx, subject: string): Promise<void> =>
      store.unblockCounters(trx, subject, clock.now(), NEVER),

    /** The pauses of the subject that are on and will end. `until` is in epoch milliseconds. */
    pauses: (db: Db, subject: string) => store.listPauses(db, subject, paused(clock.now())),

    /** The subjects no longer exist. */
    forget: store.deleteCounters,
  }
}
