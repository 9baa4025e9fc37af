import { CLOCK_SKEW_SECONDS } from '../platform/clock.ts'

/** A claim is missing, of the wrong type or of the wrong value. The reason is for the log. */
export class ClaimError extends Error {
  override readonly name: string = 'ClaimError'
}

/** The token was good. */
export class ExpiredError extends ClaimError {
  override readonly name = 'ExpiredError'
}

/** The payload of a JWT whose signature, `alg` and `typ` are verified. Its claims are not checked yet. */
export type UncheckedClaims = Record<string, unknown>

/** The claims that every token of this service has. */
export interface CommonClaims {
  iss: string
  aud: string
  sub: string
  jti: string
  iat: number
  exp: number
}

/**
 * Checks what all kinds of token have in common: every claim present, of its type, and with the value of this
 * service (RFC 8725 sections 3.8 and 3.9, RFC 9068 section 4).
 *
 * @param now whole seconds since the epoch.
 * @throws {ClaimError}
 */
export function checkCommonClaims(
  claims: UncheckedClaims,
  { issuer, audiences, now }: { issuer: string; audiences: readonly string[]; now: number },
): CommonClaims {
  const iss = stringClaim(claims, 'iss')
  const aud = stringClaim(claims, 'aud')
  if (iss !== issuer) throw new ClaimError('iss is another issuer')
  if (!audiences.includes(aud)) throw new ClaimError('aud is another audience')

  const exp = timeClaim(claims, 'exp')
  const iat = timeClaim(claims, 'iat')
  if (exp <= now) throw new ExpiredError('exp is past')
  if (iat > now + CLOCK_SKEW_SECONDS) throw new ClaimError('iat is in the future')
  if ('nbf' in claims && timeClaim(claims, 'nbf') > now + CLOCK_SKEW_SECONDS)
    throw new ClaimError('nbf is in the future')
  return { iss, aud, sub: stringClaim(claims, 'sub'), jti: stringClaim(claims, 'jti'), iat, exp }
}

export function stringClaim(claims: UncheckedClaims, name: string): string {
  const value = claims[name]
  if (typeof value === 'string' && value !== '') return value
  throw new ClaimError(`${name} is missing or not a string`)
}

/** A NumericDate in whole seconds (RFC 7519 section 2). */
export function timeClaim(claims: UncheckedClaims, name: string): number {
  const value = claims[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new ClaimError(`${name} is missing or not a time in whole seconds`)
}
