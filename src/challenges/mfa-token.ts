import type { KeyRing } from '../crypto/key-ring.ts'
import type { Clock } from '../platform/clock.ts'
import { makeHmacTokens } from '../tokens/hmac-token.ts'
import type { Challenge } from './challenge.ts'

export const MFA_TOKEN_TYP = 'mfa+jwt'

/** Short-lived JWTs that say that the password was right. They give access to the second factor only. */
export type MfaTokens = ReturnType<typeof makeMfaTokens>

export function makeMfaTokens(given: { keyRing: KeyRing; issuer: string; clock: Clock }) {
  const audience = `${given.issuer}/2fa`
  const tokens = makeHmacTokens({ ...given, typ: MFA_TOKEN_TYP, purpose: 'mfa token', audience })
  return {
    ...tokens,
    issue: (challenge: Challenge): string =>
      tokens.issue({
        sub: challenge.accountId,
        jti: challenge.id,
        iat: challenge.createdAt / 1000,
        exp: challenge.expiresAt / 1000,
        amr: ['pwd'],
      }),
  }
}
