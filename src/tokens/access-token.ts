import { createSigner } from 'fast-jwt'
import { type Clock, epochSeconds } from '../platform/clock.ts'
import { newId } from '../platform/ids.ts'
import { type Acr, acrClaim, amrClaim, isPhishingResistant } from './assurance.ts'
import {
  type CommonClaims,
  checkCommonClaims,
  stringClaim,
  timeClaim,
  type UncheckedClaims,
} from './claims.ts'
import type { Grant } from './session.ts'
import type { SigningKey, SigningKeys } from './signing-keys.ts'

export const ACCESS_TOKEN_TYP = 'at+jwt'

/** RFC 9068 requires a client. This service has only one: itself. */
const CLIENT_ID = 'keyturn'

/** The claims of an access token (RFC 9068 section 2.2). */
export interface AccessClaims extends CommonClaims {
  client_id: string
  sid: string
  username: string
  amr: readonly string[]
  acr: Acr
  /** The last proof was one that phishing does not reach. */
  phr?: true
  /** Whole seconds since the epoch. */
  auth_time: number
  /** Absent where there are none: an empty list says the same (RFC 7643 section 2.5). */
  roles?: string[]
}

type Sign = (claims: Record<string, unknown>) => string

/** Signed JWTs that any service can check offline with the JWKS. */
export interface AccessTokens {
  /** The life of a token in seconds. */
  readonly ttl: number
  issue(grant: Pick<Grant, 'account' | 'session'>): string
  /** @throws {ClaimError} */
  check(claims: UncheckedClaims): AccessClaims
}

export function makeAccessTokens({
  signingKeys,
  issuer,
  audience,
  ttl,
  clock,
}: {
  signingKeys: SigningKeys
  issuer: string
  audience: string
  ttl: number
  clock: Clock
}): AccessTokens {
  const signers = new Map<string, Sign>()
  const signerFor = (key: SigningKey): Sign => {
    const known = signers.get(key.kid)
    if (known) return known
    const signer = createSigner({
      key: key.privateKeyPem,
      algorithm: key.alg,
      kid: key.kid,
      header: { alg: key.alg, typ: ACCESS_TOKEN_TYP },
    })
    signers.set(key.kid, signer)
    return signer
  }

  return {
    ttl,

    issue({ account, session }) {
      const now = epochSeconds(clock)
      const claims: AccessClaims = {
        iss: issuer,
        sub: account.id,
        aud: audience,
        exp: now + ttl,
        iat: now,
        jti: newId(clock),
        client_id: CLIENT_ID,
        sid: session.id,
        amr: session.amr,
        acr: session.acr,
        ...(isPhishingResistant(session.amr) && { phr: true as const }),
        auth_time: Math.floor(session.authTime / 1000),
        username: account.username,
        ...(account.roles.length > 0 && { roles: account.roles }),
      }
      return signerFor(signingKeys.current())({ ...claims })
    },

    check(claims) {
      const common = checkCommonClaims(claims, { issuer, audience, now: epochSeconds(clock) })
      return {
        ...common,
        client_id: stringClaim(claims, 'client_id'),
        sid: stringClaim(claims, 'sid'),
        username: stringClaim(claims, 'username'),
        amr: amrClaim(claims),
        acr: acrClaim(claims),
        ...(claims.phr === true && { phr: true as const }),
        auth_time: timeClaim(claims, 'auth_time'),
        ...(Array.isArray(claims.roles) && { roles: claims.roles }),
      }
    },
  }
}
