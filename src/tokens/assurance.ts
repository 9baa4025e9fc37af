/** Methods used (RFC 8176); `email` and `recovery` are private values, since none is registered for them. */
export type Amr = 'pwd' | 'otp' | 'email' | 'recovery' | 'mfa'

/** Assurance levels; the second is reached by a TOTP or a recovery code, not by a code sent by email. */
export const ACRS = ['aal1', 'aal2'] as const
export type Acr = (typeof ACRS)[number]

/** NIST SP 800-63B-4 section 3.1.3.1 does not count email as a second factor, so neither does this. */
export function acrOf(amr: readonly Amr[]): Acr {
  return amr.includes('otp') || amr.includes('recovery') ? 'aal2' : 'aal1'
}

export function reaches(acr: Acr, wanted: Acr): boolean {
  return ACRS.indexOf(acr) >= ACRS.indexOf(wanted)
}

/** Whether more than the password was shown: the service may ask that of every session, also of old ones. */
export function showsSecondFactor(amr: readonly Amr[]): boolean {
  return amr.includes('mfa')
}
