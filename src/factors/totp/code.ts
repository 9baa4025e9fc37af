import { randomBytes } from 'node:crypto'
import { createGuardrails, verifySync } from 'otplib'
import { isNumericCode, typedCode } from '../../crypto/codes.ts'
import { CLOCK_SKEW_SECONDS } from '../../platform/clock.ts'

/** RFC 6238 section 5.2: the default time step. */
const PERIOD_SECONDS = 30
/** RFC 4226 section 4, requirement 6: 160 bits are recommended. */
const SECRET_BYTES = 20

/** Bounds for imported secrets: from 80 bits, which many programs used, up to the most that authenticator apps read. */
export const SHORTEST_SECRET_BYTES = 10
export const LONGEST_SECRET_BYTES = 64
const guardrails = createGuardrails({
  MIN_SECRET_BYTES: SHORTEST_SECRET_BYTES,
  MAX_SECRET_BYTES: LONGEST_SECRET_BYTES,
})

/** The last used time step of a factor that has not used any code. */
export const NO_STEP = -1

export function newTotpSecret(): Buffer {
  return randomBytes(SECRET_BYTES)
}

/** The time steps of which codes of a factor were accepted. */
export interface SpentSteps {
  /** The greatest one. */
  lastUsedStep: number
  /** Others, the latest first. */
  otherSteps: readonly number[]
}

/** How many steps are kept, apart from the greatest one; those ahead of the clock are all kept. */
export const KEPT_STEPS = 16

const stepAt = (now: number) => Math.floor(now / 1000 / PERIOD_SECONDS)

/** The greatest step whose code is taken at a time (RFC 6238 section 5.2). */
const reachAt = (now: number) => stepAt(now) + 1

/**
 * The time step of a code that is right now or one step either way (RFC 6238 section 5.2), if that step comes after
 * the last one spent. A step further ahead than clocks of two processes may differ was spent by a clock that was wrong:
 * it does not count before its time has come. The caller spends the step.
 *
 * @param now epoch milliseconds.
 */
export function matchingTimeStep(
  secret: Buffer,
  code: string,
  now: number,
  { lastUsedStep, otherSteps }: SpentSteps,
): number | null {
  if (!isNumericCode(code)) return null
  const farthest = reachAt(now + CLOCK_SKEW_SECONDS * 1000)
  const latest = Math.max(NO_STEP, ...[lastUsedStep, ...otherSteps].filter((step) => step <= farthest))
  if (latest >= reachAt(now)) return null
  const result = verifySync({
    secret,
    guardrails,
    token: typedCode(code),
    epoch: Math.floor(now / 1000),
    epochTolerance: PERIOD_SECONDS,
    ...(latest > NO_STEP ? { afterTimeStep: latest } : {}),
  })
  return result.valid && 'timeStep' in result ? result.timeStep : null
}

/** The steps that are spent once another one is. @param now epoch milliseconds. */
export function spendStep({ lastUsedStep, otherSteps }: SpentSteps, step: number, now: number): SpentSteps {
  const greatest = Math.max(step, lastUsedStep)
  const others = [step, lastUsedStep, ...otherSteps].filter((each) => each !== greatest && each !== NO_STEP)
  return {
    lastUsedStep: greatest,
    otherSteps: others.filter((each, index) => index < KEPT_STEPS || each > reachAt(now)),
  }
}
