import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'

/**
 * The claims of an access token (RFC 9068 section 2.2). Members without a question mark are always there; a token of a
 * service, which no person has signed in for, has no others but `scope`, and is taken where that is asked for.
 */
export interface AccessTokenClaims {
  iss: string
  aud: string | string[]
  /** The id of the account, or of the service. */
  sub: string
  client_id: string
  jti: string
  /** Times are whole seconds since the epoch. */
  iat: number
  exp: number
  sid?: string
  username?: string
  amr?: string[]
  acr?: Level
  /** Whether a factor was shown that cannot be phished. */
  phr?: boolean
  auth_time?: number
  roles?: string[]
  scope?: string
}

const LEVELS = ['aal1', 'aal2'] as const
type Level = (typeof LEVELS)[number]

export interface VerifierOptions {
  /** What `ISSUER` is set to, without a slash at the end. */
  issuer: string
  /** The name of this service, one of `AUDIENCE`; the issuer when it is left out. */
  audience?: string | readonly string[]
  /** Where the key set is; below the issuer when it is left out. */
  jwksUri?: string
  /** How far the clocks of the two machines may differ, in seconds. */
  leeway?: number
  /** Epoch milliseconds. */
  now?: () => number
}

/** What a token must show beyond being good. */
export interface Requirements {
  /** Also the tokens of services, which have no `sid`. */
  services?: boolean
  /** One of these roles. */
  roles?: readonly string[]
  /** This level or a higher one. */
  acr?: Level
  /** A factor that cannot be phished. */
  phr?: boolean
  /** A factor shown within so many seconds. */
  maxAge?: number
}

/** The request is refused. Express, Fastify and Koa answer with `status` and `headers` by themselves. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused'
  readonly status: 401 | 403
  /** The value of `WWW-Authenticate` (RFC 6750 section 3, RFC 9470 section 3). */
  readonly challenge: string

  constructor(message: string, challenge: string, status: 401 | 403 = 401) {
    super(message)
    this.status = status
    this.challenge = challenge
  }

  get headers(): Record<string, string> {
    return { 'WWW-Authenticate': this.challenge }
  }
}

/** How long a key set is kept, as its `Cache-Control` says: a revoked key is believed for no longer. */
const KEYS_KEPT_MS = 300_000

/** What jose says when the key set cannot be had, which is not the fault of the token. */
const NO_KEYS = ['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID']

/**
 * Makes the check of one service. It fetches the key set when it is first needed and when a token names another key.
 *
 * @returns a function of the `Authorization` header of a request. It gives the claims, or throws `TokenRefused`; any
 * other error says that the key set could not be had, or what is asked for is not to be understood.
 * @throws {TypeError} when the issuer or the audience is missing: without them any token would do.
 */
export function createVerifier({
  issuer,
  audience = issuer,
  jwksUri = `${issuer}/.well-known/jwks.json`,
  leeway = 10,
  now = Date.now,
}: VerifierOptions) {
  const audiences = [audience].flat()
  if (
    ![issuer, ...audiences].every((name) => typeof name === 'string' && name !== '') ||
    audiences.length === 0
  )
    throw new TypeError('The verifier needs an issuer, and an audience that is not empty.')
  const keys = createRemoteJWKSet(new URL(jwksUri), { cacheMaxAge: KEYS_KEPT_MS })

  return async (
    authorization: string | undefined,
    required: Requirements = {},
  ): Promise<AccessTokenClaims> => {
    checkRequirements(required)
    const token = /^bearer +([\w.~+/-]+=*)$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) throw new TokenRefused('There is no access token.', 'Bearer')
    const checked = jwtVerify<JWTPayload & AccessTokenClaims>(token, keys, {
      ...{ issuer, audience: audiences, typ: 'at+jwt', clockTolerance: leeway, currentDate: new Date(now()) },
      algorithms: ['ES256', 'EdDSA', 'RS256'],
      requiredClaims: ['exp', 'iat', 'sub', 'jti', 'client_id'],
    })
    const { payload: claims } = await checked.catch((error: unknown) => {
      if (!(error instanceof errors.JOSEError) || NO_KEYS.includes(error.code)) throw error
      throw new TokenRefused(`The access token is not good: ${error.message}`, 'Bearer error="invalid_token"')
    })
    if (claims.sid === undefined && !required.services)
      throw new TokenRefused('It is the token of a service.', 'Bearer error="invalid_token"')
    if (!isAuthenticatedAs(claims, required, Math.floor(now() / 1000) - leeway))
      throw new TokenRefused('Another or a later sign-in is needed.', insufficient(required))
    if (required.roles && !required.roles.some((role) => claims.roles?.includes(role)))
      throw new TokenRefused('The role is missing.', 'Bearer error="insufficient_scope"', 403)
    return claims
  }
}

/** What is misspelt would be no requirement at all. @throws {TypeError} */
function checkRequirements(required: Requirements): void {
  const { acr, maxAge, phr = false, roles = [], services = false, ...unknown } = required
  const isUnderstood =
    (acr === undefined || LEVELS.includes(acr)) &&
    (maxAge === undefined || (Number.isFinite(maxAge) && maxAge >= 0)) &&
    Array.isArray(roles) &&
    [phr, services].every((flag) => typeof flag === 'boolean')
  if (!isUnderstood || Object.keys(unknown).length > 0)
    throw new TypeError(`This cannot be asked of a token: ${JSON.stringify(required)}`)
}

function isAuthenticatedAs(
  claims: AccessTokenClaims,
  { acr, phr, maxAge }: Requirements,
  now: number,
): boolean {
  if (acr && !(claims.acr && LEVELS.indexOf(claims.acr) >= LEVELS.indexOf(acr))) return false
  if (phr && claims.phr !== true) return false
  return maxAge === undefined || (claims.auth_time !== undefined && claims.auth_time + maxAge >= now)
}

/** RFC 9470 section 3; `phr` is a level of OpenID Connect EAP ACR Values 1.0. */
function insufficient({ acr, phr, maxAge }: Requirements): string {
  const level = phr ? 'phr' : acr
  return [
    'Bearer error="insufficient_user_authentication"',
    ...(level ? [`acr_values="${level}"`] : []),
    ...(maxAge === undefined ? [] : [`max_age=${maxAge}`]),
  ].join(', ')
}
