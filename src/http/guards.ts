import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Accounts } from '../accounts/accounts.ts'
import { insufficientUserAuthentication, invalidToken, type ProblemCode } from '../errors.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import type { Challenges } from '../sign-in/challenges.ts'
import { reaches } from '../tokens/assurance.ts'
import { MFA_TOKEN_TYP } from '../tokens/mfa-token.ts'
import type { FindSignedIn } from '../tokens/signed-in.ts'
import type { Factors } from '../two-factor/factors.ts'
import { bearerToken } from './bearer.ts'
import type { AccessPrincipal, MfaPrincipal, Principal } from './principal.ts'

/** For how many seconds after an authentication a token may change factors and credentials. */
export const FRESH_SECONDS = 300

export type ScopeName = 'public' | 'mfa' | 'access' | 'fresh' | 'mfa-or-fresh'

/** What a scope asks of each request before anything else happens. */
export interface Guard {
  scope: ScopeName
  check?: (request: FastifyRequest) => Promise<Principal>
  /** For the OpenAPI document: one of these security schemes is needed. */
  security: Record<string, string[]>[]
  problems: ProblemCode[]
}

export type Guards = Record<ScopeName, Guard>

/**
 * Makes the guards of the scopes. A token is believed only after its row was found alive: a consumed
 * challenge, an ended session or a disabled account is over at once, whatever the token says.
 */
export function makeGuards({
  db,
  clock,
  accounts,
  challenges,
  findSignedIn,
  factors,
}: {
  db: Db
  clock: Clock
  accounts: Accounts
  challenges: Challenges
  findSignedIn: FindSignedIn
  factors: Factors
}): Guards {
  async function checkMfa(request: FastifyRequest): Promise<MfaPrincipal> {
    const claims = await request.mfaClaims(bearerToken(request))
    const challenge = await challenges.find(claims.jti)
    const account = challenge && (await accounts.byId(challenge.accountId))
    if (!account || account.disabled || account.id !== claims.sub)
      throw invalidToken('the challenge is consumed, expired or used up, or its account is gone')
    return { kind: 'mfa', account, challenge }
  }

  async function checkAccess(request: FastifyRequest): Promise<AccessPrincipal> {
    const claims = await request.accessClaims(bearerToken(request))
    return { kind: 'access', claims, ...(await findSignedIn(claims)) }
  }

  /** RFC 9470: recent enough, and as sure as the account's best factor can make it. */
  async function checkFresh(request: FastifyRequest): Promise<AccessPrincipal> {
    const principal = await checkAccess(request)
    const bestAcr = await factors.bestAcr(db, principal.account)
    const age = clock.now() / 1000 - principal.claims.auth_time
    const sure = reaches(principal.claims.acr, bestAcr) && reaches(principal.session.acr, bestAcr)
    if (age > FRESH_SECONDS || !sure) throw insufficientUserAuthentication(bestAcr, FRESH_SECONDS)
    return principal
  }

  return {
    public: { scope: 'public', security: [], problems: [] },
    mfa: { scope: 'mfa', check: checkMfa, security: [{ mfaToken: [] }], problems: ['invalid_token'] },
    access: {
      scope: 'access',
      check: checkAccess,
      security: [{ accessToken: [] }],
      problems: ['invalid_token'],
    },
    fresh: {
      scope: 'fresh',
      check: checkFresh,
      security: [{ accessToken: [] }],
      problems: ['invalid_token', 'insufficient_user_authentication'],
    },
    'mfa-or-fresh': {
      scope: 'mfa-or-fresh',
      check: (request) => (looksLikeMfaToken(request) ? checkMfa(request) : checkFresh(request)),
      security: [{ mfaToken: [] }, { accessToken: [] }],
      problems: ['invalid_token', 'insufficient_user_authentication'],
    },
  }
}

/** Chooses the check; the check then decides. Nothing here is believed. */
function looksLikeMfaToken(request: FastifyRequest): boolean {
  const [, header = ''] = /^Bearer +([^.]+)\./i.exec(request.headers.authorization ?? '') ?? []
  try {
    return JSON.parse(Buffer.from(header, 'base64url').toString()).typ === MFA_TOKEN_TYP
  } catch {
    return false
  }
}

/** Puts a guard before every route that is registered in this scope afterwards. */
export function protect(scope: FastifyInstance, guard: Guard): void {
  scope.addHook('onRoute', (route) => {
    route.config = { ...route.config, guard }
  })
  const { check } = guard
  if (check)
    scope.addHook('onRequest', async (request) => {
      request.principal = await check(request)
    })
}

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | null
    problemCode: ProblemCode | null
  }
  interface FastifyContextConfig {
    guard?: Guard
    /** What the route itself may refuse with; guards and the body add theirs. */
    problems?: ProblemCode[]
  }
}
