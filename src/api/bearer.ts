import fastifyJwt, { type TokenOrHeader } from '@fastify/jwt'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { MFA_TOKEN_TYP } from '../challenges/mfa-token.ts'
import { invalidToken, missingToken } from '../errors.ts'
import { isSentTwice } from '../http/sent-twice.ts'
import type { Service } from '../service.ts'
import { ACCESS_TOKEN_TYP, type AccessClaims, type ServiceClaims } from '../tokens/access-token.ts'
import { ACCOUNT_TOKEN_TYP, type AccountClaims } from '../tokens/account-token.ts'
import { ClaimError, type CommonClaims, ExpiredError, type UncheckedClaims } from '../tokens/claims.ts'
import { HMAC_TOKEN_ALG } from '../tokens/hmac-token.ts'
import { SIGNING_ALGS } from '../tokens/signing-keys.ts'

/**
 * Access tokens whose signature was found right and need not be checked again: one is used many times in its
 * life, and its signature costs more than all else that is asked of it. What may have changed since is asked each
 * time: its expiry, its key, its session and its account.
 */
const REMEMBERED_SIGNATURES = 10_000

type BearerOptions = Pick<Service, 'mfaTokens' | 'accountTokens' | 'accessTokens' | 'signingKeys'>

/**
 * `credentials` of RFC 6750 section 2.1: the scheme in any case, blanks, the token. Anything else is not a token.
 */
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i

/**
 * Verifies the three kinds of JWT, each under its own namespace. Keys come from this service by `kid` and never from
 * the token, `alg` and `typ` are fixed, and the rules of each kind of token check its times and claims.
 */
export const bearer = fp(
  async function bearer(app: FastifyInstance, options: BearerOptions) {
    const { mfaTokens, accountTokens, accessTokens, signingKeys } = options
    app.decorateRequest('jwtUnderTest', '')

    await app.register(fastifyJwt, {
      namespace: 'mfa',
      jwtVerify: 'verifyMfaSignature',
      decode: { complete: true },
      secret: { private: '', public: keyBy(async (kid) => mfaTokens.keyFor(kid)) },
      verify: {
        algorithms: [HMAC_TOKEN_ALG],
        checkTyp: MFA_TOKEN_TYP,
        requiredClaims: ['iss', 'aud', 'sub', 'jti', 'iat', 'exp'],
        ...OUR_PART,
      },
    })
    await app.register(fastifyJwt, {
      namespace: 'account',
      jwtVerify: 'verifyAccountSignature',
      decode: { complete: true },
      secret: { private: '', public: keyBy(async (kid) => accountTokens.keyFor(kid)) },
      verify: {
        algorithms: [HMAC_TOKEN_ALG],
        checkTyp: ACCOUNT_TOKEN_TYP,
        requiredClaims: ['iss', 'aud', 'sub', 'jti', 'iat', 'exp', 'sid', 'acr', 'change_count'],
        ...OUR_PART,
      },
    })
    await app.register(fastifyJwt, {
      namespace: 'access',
      jwtVerify: 'verifyAccessSignature',
      decode: { complete: true },
      secret: { private: '', public: keyBy(async (kid) => (await signingKeys.find(kid))?.publicKeyPem) },
      verify: {
        algorithms: [...SIGNING_ALGS],
        checkTyp: ACCESS_TOKEN_TYP,
        requiredClaims: ['iss', 'aud', 'sub', 'jti', 'iat', 'exp', 'client_id'],
        cache: REMEMBERED_SIGNATURES,
        ...OUR_PART,
      },
    })

    app.decorateRequest('mfaClaims', claimsOf('verifyMfaSignature', mfaTokens))
    app.decorateRequest('accountClaims', claimsOf('verifyAccountSignature', accountTokens))
    app.decorateRequest('accessClaims', claimsOf('verifyAccessSignature', accessTokens))
    const either = { check: accessTokens.checkEither }
    app.decorateRequest('eitherClaims', claimsOf('verifyAccessSignature', either))
  },
  { name: 'bearer' },
)

/** This service and not the library decides which token is meant and whether it has expired. */
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
  if (isSentTwice(request, 'authorization'))
    throw invalidToken('the Authorization header was sent more than once')
  const token = BEARER.exec(authorization)?.[1]
  if (token === undefined) throw invalidToken('the Authorization header is not "Bearer <token>"')
  return token
}

/** The `typ` of each kind of token. */
const KINDS = {
  verifyMfaSignature: MFA_TOKEN_TYP,
  verifyAccountSignature: ACCOUNT_TOKEN_TYP,
  verifyAccessSignature: ACCESS_TOKEN_TYP,
}
type VerifySignature = keyof typeof KINDS

/** What checks one kind of token: its signature under the keys of that kind, and then its times and claims. */
function claimsOf<T>(verify: VerifySignature, tokens: { check(claims: UncheckedClaims): T }) {
  return function (this: FastifyRequest, token: string): Promise<T> {
    this.jwtUnderTest = token
    return refusing(token, KINDS[verify], async () => {
      requireOneSpelling(token)
      return tokens.check(await this[verify]<UncheckedClaims>())
    })
  }
}

/** Finds the key of this service that the token names. An unknown name is refused. */
function keyBy(find: (kid: unknown) => Promise<string | undefined>) {
  return async (_request: FastifyRequest, token: TokenOrHeader): Promise<string> => {
    const key = await find('header' in token ? token.header.kid : undefined)
    if (key === undefined) throw new ClaimError('kid is not a key of this service')
    return key
  }
}

/**
 * Decoders take signatures in several spellings: with other bits where the last character has some to spare, with
 * padding, in the alphabet of base64. Here a token is one text (RFC 4648 section 3.5, RFC 7515 section 2). What stands
 * before the signature is signed as it is spelt.
 */
function requireOneSpelling(token: string): void {
  const signature = token.slice(token.lastIndexOf('.') + 1)
  if (Buffer.from(signature, 'base64url').toString('base64url') !== signature)
    throw new ClaimError('the signature is not spelt as base64url')
}

/**
 * Whatever is wrong with a token, the log learns why. The client learns that it is not valid, and that it has expired, or
 * that it names itself as one of another kind.
 */
async function refusing<T>(token: string, kind: string, verify: () => Promise<T>): Promise<T> {
  try {
    return await verify()
  } catch (error) {
    if (!(error instanceof Error && isTokenFault(error))) throw error
    const named = kindOf(token)
    const isOther = named !== kind && Object.values(KINDS).includes(named)
    throw invalidToken(
      error.message,
      error instanceof ExpiredError ? 'expired' : isOther ? 'wrong_kind' : undefined,
    )
  }
}

/** What the header of a token says: anyone may have written it. */
export function kindOf(token: string): string {
  try {
    return String(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).typ)
  } catch {
    return ''
  }
}

/** Errors of fast-jwt, @fastify/jwt and this service about a token. All others are faults of the service. */
function isTokenFault(error: Error & { code?: unknown }): boolean {
  return error instanceof ClaimError || /^(FAST_JWT_|FST_JWT_)/.test(String(error.code))
}

declare module 'fastify' {
  interface FastifyRequest {
    jwtUnderTest: string
    verifyMfaSignature<T>(): Promise<T>
    verifyAccountSignature<T>(): Promise<T>
    verifyAccessSignature<T>(): Promise<T>
    /** @throws {AppError} invalid_token */
    mfaClaims(token: string): Promise<CommonClaims>
    /** @throws {AppError} invalid_token */
    accountClaims(token: string): Promise<AccountClaims>
    /** @throws {AppError} invalid_token */
    accessClaims(token: string): Promise<AccessClaims>
    /** Of a person's access token or of a service token. @throws {AppError} invalid_token */
    eitherClaims(token: string): Promise<AccessClaims | ServiceClaims>
  }
}
