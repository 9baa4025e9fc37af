import { ClaimError, type UncheckedClaims } from './claims.ts'

/** Assurance levels (NIST SP 800-63B-4), the lower one first. */
export const ACRS = ['aal1', 'aal2'] as const
export type Acr = (typeof ACRS)[number]

/** What was shown at a sign-in: the claims `amr` and `acr`. */
export interface Assurance {
  /** Methods used (RFC 8176), with a private value for a factor that has none registered. */
  amr: readonly string[]
  acr: Acr
}

/** What a session has shown, and when. Times are epoch milliseconds, `null` for what it has not shown. */
export interface Proof extends Assurance {
  /** When the last of it was shown: the claim `auth_time`. */
  authTime: number
  passwordAt: number | null
  factorAt: number | null
  /** Since when the account has had the factor that was shown last; 0 for a recovery code. */
  factorSince: number | null
}

/** @param now epoch milliseconds. */
export function passwordAlone(now: number): Proof {
  return { amr: ['pwd'], acr: 'aal1', authTime: now, passwordAt: now, factorAt: null, factorSince: null }
}

export function reaches(acr: Acr, wanted: Acr): boolean {
  return ACRS.indexOf(acr) >= ACRS.indexOf(wanted)
}

/** What a passkey shows (RFC 8176): a key in hardware, or one that is copied among devices; and its owner, if verified. */
export function passkeyAmr(passkey: { backupEligible: boolean; userVerified: boolean }): string[] {
  return [passkey.backupEligible ? 'swk' : 'hwk', ...(passkey.userVerified ? ['user'] : [])]
}

/** Whether the last proof was one that phishing does not reach: the claim `phr`. */
export const isPhishingResistant = (amr: readonly string[]) => amr.includes('hwk') || amr.includes('swk')

/** @throws {ClaimError} */
export function acrClaim(claims: UncheckedClaims): Acr {
  const acr = ACRS.find((level) => level === claims.acr)
  if (!acr) throw new ClaimError('acr is missing or not a level of ours')
  return acr
}

/** @throws {ClaimError} */
export function amrClaim({ amr }: UncheckedClaims): readonly string[] {
  if (Array.isArray(amr)) return amr
  throw new ClaimError('amr is missing or not a list')
}

/**
 * Whether a session has shown more than the password. The service may require that of every session, old ones
 * included.
 */
export function showsSecondFactor(amr: readonly string[]): boolean {
  return amr.includes('mfa')
}
