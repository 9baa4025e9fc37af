import { randomBytes } from 'node:crypto'
import { createGuardrails, verifySync } from 'otplib'

/** RFC 6238 section 5.2: the default time step. */
const PERIOD_SECONDS = 30
/** RFC 4226 section 4, requirement 6: 160 bits are recommended. */
const SECRET_BYTES = 20

/** What is taken from elsewhere: 80 bits, as many programs gave their users, up to what authenticator apps read. */
export const SHORTEST_SECRET_BYTES = 10
export const LONGEST_SECRET_BYTES = 64
const guardrails = createGuardrails({
  MIN_SECRET_BYTES: SHORTEST_SECRET_BYTES,
  MAX_SECRET_BYTES: LONGEST_SECRET_BYTES,
})

/** A factor none of whose codes was used yet. */
export const NO_STEP = -1

export function newTotpSecret(): Buffer {
  return randomBytes(SECRET_BYTES)
}

/**
 * The time step a code belongs to, if the code is right for now or one step either way (RFC 6238 section 5.2)
 * and the step comes after the last one used. Spending the step is the caller's part.
 *
 * @param now epoch milliseconds.
 */
export function matchingTimeStep(
  secret: Buffer,
  code: string,
  now: number,
  lastUsedStep: number,
): number | null {
  const digits = code.replace(/[\s-]/g, '')
  if (!/^\d{6}$/.test(digits)) return null
  try {
    const result = verifySync({
      secret,
      guardrails,
      token: digits,
      epoch: Math.floor(now / 1000),
      epochTolerance: PERIOD_SECONDS,
      ...(lastUsedStep > NO_STEP ? { afterTimeStep: lastUsedStep } : {}),
    })
    return result.valid && 'timeStep' in result ? result.timeStep : null
  } catch {
    // otplib throws when the last used step is ahead of the clock: the clock was set back, the step stays spent.
    return null
  }
}
