import { createSigner } from 'fast-jwt'
import type { Audiences } from '../config.ts'
import { type Clock, epochSeconds } from '../platform/clock.ts'
import { newId } from '../platform/ids.ts'
import { SERVICE_PREFIX } from '../values/service-client-id.ts'
import { type Acr, acrClaim, amrClaim, isPhishingResistant } from './assurance.ts'
import {
  ClaimError,
  type CommonClaims,
  checkCommonClaims,
  stringClaim,
  timeClaim,
  type UncheckedClaims,
} from './claims.ts'
import type { Grant } from './session.ts'
import type { SigningKey, SigningKeys } from './signing-keys.ts'

export const ACCESS_TOKEN_TYP = 'at+jwt'

/** RFC 9068 requires a client. People have only one: this service itself. */
export const CLIENT_ID = 'keyturn'

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

/** The claims of a service token: the same kind of token, for a service and not for a person. */
export interface ServiceClaims extends CommonClaims {
  client_id: string
  /** Separated by spaces; left out for none. */
  scope?: string
}

type Sign = (claims: Record<string, unknown>) => string

/** Signed JWTs that any service can check offline with the JWKS. */
export interface AccessTokens {
  /** The life of a token in seconds. */
  readonly ttl: number
  /** @param audience the service that it is for; the first one when left out. */
  issue(grant: Pick<Grant, 'account' | 'session'>, audience?: string): string
  /** @param client for whom it is, with the scopes that it gets. */
  issueService(client: { id: string; scopes: readonly string[] }, audience?: string): string
  /** @throws {ClaimError} for a service token, too. */
  check(claims: UncheckedClaims): AccessClaims
  /** Takes tokens of people and of services. @throws {ClaimError} */
  checkEither(claims: UncheckedClaims): AccessClaims | ServiceClaims
}

interface Parts {
  signingKeys: SigningKeys
  issuer: string
  audiences: Audiences
  ttl: number
  clock: Clock
}

export function makeAccessTokens({ signingKeys, issuer, audiences, ttl, clock }: Parts): AccessTokens {
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

  const common = (sub: string, clientId: string, audience = audiences[0]) => {
    const iat = epochSeconds(clock)
    return { iss: issuer, sub, aud: audience, exp: iat + ttl, iat, jti: newId(clock), client_id: clientId }
  }
  const sign = (claims: AccessClaims | ServiceClaims) => signerFor(signingKeys.current())({ ...claims })
  const checkCommon = (claims: UncheckedClaims) => ({
    ...checkCommonClaims(claims, { issuer, audiences, now: epochSeconds(clock) }),
    client_id: stringClaim(claims, 'client_id'),
  })

  const accessTokens: AccessTokens = {
    ttl,

    issue({ account, session }, audience) {
      return sign({
        ...common(account.id, CLIENT_ID, audience),
        sid: session.id,
        amr: session.amr,
        acr: session.acr,
        ...(isPhishingResistant(session.amr) && { phr: true as const }),
        auth_time: Math.floor(session.authTime / 1000),
        username: account.username,
        ...(account.roles.length > 0 && { roles: account.roles }),
      })
    },

    issueService({ id, scopes }, audience) {
      return sign({ ...common(id, id, audience), ...(scopes.length > 0 && { scope: scopes.join(' ') }) })
    },

    check(claims) {
      const checked = checkCommon(claims)
      return {
        ...checked,
        sid: stringClaim(claims, 'sid'),
        username: stringClaim(claims, 'username'),
        amr: amrClaim(claims),
        acr: acrClaim(claims),
        ...(claims.phr === true && { phr: true as const }),
        auth_time: timeClaim(claims, 'auth_time'),
        ...(Array.isArray(claims.roles) && { roles: claims.roles }),
      }
    },

    checkEither(claims) {
      if ('sid' in claims) return accessTokens.check(claims)
      const checked = checkCommon(claims)
      if (checked.sub !== checked.client_id || !checked.sub.startsWith(SERVICE_PREFIX))
        throw new ClaimError('sub is not a service client')
      return { ...checked, ...('scope' in claims && { scope: stringClaim(claims, 'scope') }) }
    },
  }
  return accessTokens
}
