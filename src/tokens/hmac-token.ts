import { createSigner } from 'fast-jwt'
import type { KeyRing, RootKey } from '../crypto/key-ring.ts'
import { type Clock, epochSeconds } from '../platform/clock.ts'
import { type CommonClaims, checkCommonClaims, type UncheckedClaims } from './claims.ts'

export const HMAC_TOKEN_ALG = 'HS256'

/** The times of a token, in whole seconds since the epoch, and what it is for. */
type Claims = Pick<CommonClaims, 'sub' | 'jti' | 'iat' | 'exp'> & Record<string, unknown>

interface Parts {
  keyRing: KeyRing
  issuer: string
  clock: Clock
  typ: string
  /** Names the key: each kind of token has its own (RFC 8725 section 3.9). */
  purpose: string
  /** The claim `aud`. */
  audience: string
}

/** JWTs that only this service has to check. */
export function makeHmacTokens({ keyRing, issuer, clock, typ, purpose, audience }: Parts) {
  const hmacKey = (root: RootKey) => root.derive(purpose).toString('base64url')
  const sign = createSigner({
    key: hmacKey(keyRing.primary),
    algorithm: HMAC_TOKEN_ALG,
    kid: keyRing.primary.id,
    header: { alg: HMAC_TOKEN_ALG, typ },
  })
  const keys = new Map(keyRing.all.map((root) => [root.id, hmacKey(root)]))

  return {
    issue: (claims: Claims): string => sign({ iss: issuer, aud: audience, ...claims }),
    /** The HMAC key for a `kid`, as text; `undefined` for a `kid` of no key of this service. */
    keyFor: (kid: unknown): string | undefined => (typeof kid === 'string' ? keys.get(kid) : undefined),
    /** @throws {ClaimError} */
    check: (claims: UncheckedClaims): CommonClaims =>
      checkCommonClaims(claims, { issuer, audiences: [audience], now: epochSeconds(clock) }),
  }
}
