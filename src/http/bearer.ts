import fastifyJwt, { type TokenOrHeader } from '@fastify/jwt'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { invalidToken, missingToken } from '../errors.ts'
import { ACCESS_TOKEN_TYP, type AccessClaims, type AccessTokens } from '../tokens/access-token.ts'
import { ClaimError, type CommonClaims, type UncheckedClaims } from '../tokens/claims.ts'
import { MFA_TOKEN_ALG, MFA_TOKEN_TYP, type MfaTokens } from '../tokens/mfa-token.ts'
import type { SigningKeys } from '../tokens/signing-keys.ts'

/**
 * Access tokens whose signature was found right and need not be checked again: one is used many times in its
 * life, and its signature costs more than all else that is asked of it. What may have changed since is asked each
 * time: its expiry, its key, its session and its account.
 */
const REMEMBERED_SIGNATURES = 10_000

export interface BearerOptions {
  mfaTokens: MfaTokens
  accessTokens: AccessTokens
  signingKeys: SigningKeys
}

/** `credentials` of RFC 6750 section 2.1: the scheme in any case, one blank, the token. Anything else is no token. */
const BEARER = /^bearer ([A-Za-z0-9._~+/-]+=*)$/i

/**
 * Verifies the two kinds of JWT, each under its own namespace: keys come from this service by `kid` and never
 * from the token, `alg` and `typ` are fixed, and times and claims are checked by the tokens' own rules.
 */
export const bearer = fp(
  async function bearer(app: FastifyInstance, { mfaTokens, accessTokens, signingKeys }: BearerOptions) {
    app.decorateRequest('jwtUnderTest', '')

    await app.register(fastifyJwt, {
      namespace: 'mfa',
      jwtVerify: 'verifyMfaSignature',
      decode: { complete: true },
      secret: { private: '', public: keyBy(async (kid) => mfaTokens.keyFor(kid)) },
      verify: {
        algorithms: [MFA_TOKEN_ALG],
        checkTyp: MFA_TOKEN_TYP,
        requiredClaims: ['iss', 'aud', 'sub', 'jti', 'iat', 'exp'],
        ...OUR_PART,
      },
    })
    await app.register(fastifyJwt, {
      namespace: 'access',
      jwtVerify: 'verifyAccessSignature',
      decode: { complete: true },
      secret: { private: '', public: keyBy(async (kid) => (await signingKeys.find(kid))?.publicKeyPem) },
      verify: {
        algorithms: ['ES256', 'EdDSA'],
        checkTyp: ACCESS_TOKEN_TYP,
        requiredClaims: [
          ...['iss', 'aud', 'sub', 'jti', 'iat', 'exp'],
          ...['sid', 'client_id', 'acr', 'amr', 'auth_time', 'username'],
        ],
        cache: REMEMBERED_SIGNATURES,
        ...OUR_PART,
      },
    })

    app.decorateRequest('mfaClaims', function (this: FastifyRequest, token: string): Promise<CommonClaims> {
      this.jwtUnderTest = token
      return refusing(async () => mfaTokens.check(await this.verifyMfaSignature<UncheckedClaims>()))
    })
    app.decorateRequest(
      'accessClaims',
      function (this: FastifyRequest, token: string): Promise<AccessClaims> {
        this.jwtUnderTest = token
        return refusing(async () => accessTokens.check(await this.verifyAccessSignature<UncheckedClaims>()))
      },
    )
  },
  { name: 'bearer' },
)

/** Which token is meant, and when it is expired, is decided here and not by the library. */
const OUR_PART = {
  extractToken: (request: FastifyRequest) => request.jwtUnderTest,
  ignoreExpiration: true,
  ignoreNotBefore: true,
}

/**
 * The token of the `Authorization` header.
 *
 * @throws {AppError} invalid_token
 */
export function bearerToken(request: FastifyRequest): string {
  const { authorization } = request.headers
  if (authorization === undefined) throw missingToken()
  if (isSentTwice(request)) throw invalidToken('the Authorization header was sent more than once')
  const token = BEARER.exec(authorization)?.[1]
  if (token === undefined) throw invalidToken('the Authorization header is not "Bearer <token>"')
  return token
}

/** Node keeps the first of several, a proxy before it may have checked the last (RFC 9110 section 5.3). */
function isSentTwice({ raw }: FastifyRequest): boolean {
  return raw.rawHeaders.filter((text, index) => index % 2 === 0 && /^authorization$/i.test(text)).length > 1
}

/** The key comes from this service, by the name the token gives; an unknown name ends it. */
function keyBy(find: (kid: unknown) => Promise<string | undefined>) {
  return async (_request: FastifyRequest, token: TokenOrHeader): Promise<string> => {
    const key = await find('header' in token ? token.header.kid : undefined)
    if (key === undefined) throw new ClaimError('kid is not a key of this service')
    return key
  }
}

/** Whatever is wrong with a token, the client learns that it is not valid and the log learns why. */
async function refusing<T>(verify: () => Promise<T>): Promise<T> {
  try {
    return await verify()
  } catch (error) {
    if (error instanceof Error && isTokenFault(error)) throw invalidToken(error.message)
    throw error
  }
}

/** What fast-jwt, @fastify/jwt and our own checks throw about a token; the rest are faults of ours. */
function isTokenFault(error: Error & { code?: unknown }): boolean {
  return error instanceof ClaimError || /^(FAST_JWT_|FST_JWT_)/.test(String(error.code))
}

declare module 'fastify' {
  interface FastifyRequest {
    jwtUnderTest: string
    verifyMfaSignature<T>(): Promise<T>
    verifyAccessSignature<T>(): Promise<T>
    /** @throws {AppError} invalid_token */
    mfaClaims(token: string): Promise<CommonClaims>
    /** @throws {AppError} invalid_token */
    accessClaims(token: string): Promise<AccessClaims>
  }
}
