import { type Clock, rfc3339 } from '../../platform/clock.ts'
import type { Written } from '../../upkeep/latest-times.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn, fail } = findingsOf('clock')

/** The time of another clock, and when it was read by this one. Epoch milliseconds. */
export interface ForeignTime {
  whose: string
  theirs: number
  ours: number
  /** For clocks that show whole seconds only. */
  coarse?: true
}

/** NTP keeps clocks much closer. From half a minute on, codes and tokens of another replica are refused. */
const WARN_MS = 5_000
const FAIL_MS = 10_000

const KEEP_RIGHT = 'Keep the clock right by NTP: authenticator codes and tokens depend on it.'
const WAS_AHEAD =
  'Other clocks say that it is right now. Sessions that began while it was ahead end later than they should: end them. A signing key of then is not followed by the next for as long: revoke it.'

/** @param written what this clock must have passed. */
export function checkClock(
  clock: Clock,
  times: readonly ForeignTime[],
  written: readonly Written[],
): Finding[] {
  const findings = times.map(({ whose, theirs, ours, coarse }) => {
    const behindMs = theirs - ours
    const off = Math.max(0, Math.abs(behindMs) - (coarse ? 1_000 : 0))
    const words = `this machine is ${(off / 1000).toFixed(1)} s ${behindMs > 0 ? 'behind' : 'ahead of'} ${whose}`
    if (off >= FAIL_MS) return fail(words, KEEP_RIGHT)
    return off >= WARN_MS ? warn(words, KEEP_RIGHT) : ok(`agrees with ${whose}`)
  })
  const isRight = findings.length > 0 && findings.every(({ status }) => status === 'ok')
  const ahead = written
    .filter(({ at }) => at > clock.now() + WARN_MS)
    .map(({ what, at }) => {
      const words = `the last ${what} is still to come: the clock was set back, or was at ${rfc3339(at)} before`
      return isRight ? warn(words, WAS_AHEAD) : fail(words, KEEP_RIGHT)
    })
  const all = [...findings, ...ahead]
  return all.length > 0 ? all : [ok('nothing to compare it with; no event is still to come')]
}
