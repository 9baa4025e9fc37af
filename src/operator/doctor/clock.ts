import type { Clock } from '../../platform/clock.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn, fail } = findingsOf('clock')

/** What somebody else's clock said, and when by ours; epoch milliseconds. */
export interface ForeignTime {
  whose: string
  theirs: number
  ours: number
  /** Whole seconds, for clocks that tell no more. */
  coarse?: true
}

/** From ten seconds on, a refresh that is repeated at another replica is taken for a stolen token. */
const WARN_MS = 5_000
const FAIL_MS = 10_000

/** @param latestEventAt the time of the last audit event, which this clock must have passed. */
export function checkClock(clock: Clock, times: readonly ForeignTime[], latestEventAt: number): Finding[] {
  const advice = 'Keep the clock right by NTP: authenticator codes and tokens depend on it.'
  const findings = times.map(({ whose, theirs, ours, coarse }) => {
    const behindMs = theirs - ours
    const off = Math.max(0, Math.abs(behindMs) - (coarse ? 1_000 : 0))
    const words = `this machine is ${(off / 1000).toFixed(1)} s ${behindMs > 0 ? 'behind' : 'ahead of'} ${whose}`
    if (off >= FAIL_MS) return fail(words, advice)
    return off >= WARN_MS ? warn(words, advice) : ok(`agrees with ${whose}`)
  })
  if (latestEventAt > clock.now() + WARN_MS)
    findings.push(fail('the last audit event is still to come: the clock was set back', advice))
  return findings.length > 0 ? findings : [ok('nothing to compare it with; no event is still to come')]
}
