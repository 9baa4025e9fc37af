import { createSigner } from 'fast-jwt'
import type { KeyRing, RootKey } from '../crypto/key-ring.ts'
import { type Clock, epochSeconds } from '../platform/clock.ts'
import type { Challenge } from '../sign-in/challenges.ts'
import { type CommonClaims, checkCommonClaims, type UncheckedClaims } from './claims.ts'

export const MFA_TOKEN_TYP = 'mfa+jwt'
export const MFA_TOKEN_ALG = 'HS256'

/** Short-lived JWTs that say: the password was right. They open the second factor and nothing else. */
export interface MfaTokens {
  issue(challenge: Challenge): string
  /** The HMAC key for a `kid`, as text; `undefined` for one that is not ours. */
  keyFor(kid: unknown): string | undefined
  /** @throws {ClaimError} */
  check(claims: UncheckedClaims): CommonClaims
}

export function makeMfaTokens({
  keyRing,
  issuer,
  clock,
}: {
  keyRing: KeyRing
  issuer: string
  clock: Clock
}): MfaTokens {
  const audience = `${issuer}/2fa`
  const sign = createSigner({
    key: hmacKey(keyRing.primary),
    algorithm: MFA_TOKEN_ALG,
    kid: keyRing.primary.id,
    header: { alg: MFA_TOKEN_ALG, typ: MFA_TOKEN_TYP },
  })
  const keys = new Map(keyRing.all.map((root) => [root.id, hmacKey(root)]))

  return {
    issue: (challenge) =>
      sign({
        iss: issuer,
        aud: audience,
        sub: challenge.accountId,
        jti: challenge.id,
        iat: challenge.createdAt / 1000,
        exp: challenge.expiresAt / 1000,
        amr: ['pwd'],
      }),
    keyFor: (kid) => (typeof kid === 'string' ? keys.get(kid) : undefined),
    check: (claims) => checkCommonClaims(claims, { issuer, audience, now: epochSeconds(clock) }),
  }
}

function hmacKey(root: RootKey): string {
  return root.derive('mfa token').toString('base64url')
}
