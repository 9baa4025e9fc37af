import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Accounts } from '../accounts/accounts.ts'
import type { Challenges } from '../challenges/challenges.ts'
import { MFA_TOKEN_TYP } from '../challenges/mfa-token.ts'
import { insufficientUserAuthentication, invalidToken, type ProblemCode } from '../errors.ts'
import { checkAccountToken } from '../factors/change.ts'
import type { Factors } from '../factors/factors.ts'
import type { Db } from '../platform/database.ts'
import { ACCESS_TOKEN_TYP } from '../tokens/access-token.ts'
import type { Sessions } from '../tokens/sessions.ts'
import { findSignedIn } from '../tokens/signed-in.ts'
import { bearerToken } from './bearer.ts'
import type { AccessPrincipal, AccountPrincipal, MfaPrincipal, Principal, ScopeName } from './principal.ts'

/** What a scope asks of each request before anything else happens. */
export interface Guard {
  scope: ScopeName
  check?: (request: FastifyRequest) => Promise<Principal>
  /** For the OpenAPI document: one of these security schemes is required. */
  security: Record<string, string[]>[]
  problems: ProblemCode[]
}

export type Guards = Record<ScopeName, Guard>

/** The parts of the service that guards use. */
interface GuardsRoom {
  db: Db
  accounts: Accounts
  challenges: Challenges
  sessions: Sessions
  factors: Factors
  mfaRequired: boolean
}

/**
 * Makes the guards of the scopes. A token is accepted only after its row was found alive: a consumed challenge, an
 * ended session or a disabled account ends it at once, whatever the token says.
 */
export function makeGuards(room: GuardsRoom): Guards {
  const { accounts, challenges, db, factors } = room

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
    return { kind: 'access', claims, ...(await findSignedIn(room, claims)) }
  }

  /** What an access token may not do, a step-up may: its holder is told so (RFC 9470). */
  async function checkAccount(request: FastifyRequest): Promise<AccountPrincipal> {
    if (tokenTyp(request) === ACCESS_TOKEN_TYP) {
      const { account } = await checkAccess(request)
      throw insufficientUserAuthentication((await factors.of(db, account)).bestAcr)
    }
    const claims = await request.accountClaims(bearerToken(request))
    const { account, session } = await findSignedIn(room, claims)
    await checkAccountToken(room, db, account, claims)
    return { kind: 'account', account, session, claims }
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
    account: {
      scope: 'account',
      check: checkAccount,
      security: [{ accountToken: [] }],
      problems: ['invalid_token', 'insufficient_user_authentication'],
    },
    'mfa-or-access': {
      scope: 'mfa-or-access',
      check: (request) => (tokenTyp(request) === MFA_TOKEN_TYP ? checkMfa(request) : checkAccess(request)),
      security: [{ mfaToken: [] }, { accessToken: [] }],
      problems: ['invalid_token'],
    },
    'mfa-or-account': {
      scope: 'mfa-or-account',
      check: (request) => (tokenTyp(request) === MFA_TOKEN_TYP ? checkMfa(request) : checkAccount(request)),
      security: [{ mfaToken: [] }, { accountToken: [] }],
      problems: ['invalid_token', 'insufficient_user_authentication'],
    },
  }
}

/** The type that a token claims, to choose its check by. The check verifies the token. */
function tokenTyp(request: FastifyRequest): unknown {
  const [, header = ''] = /^Bearer +([^.]+)\./i.exec(request.headers.authorization ?? '') ?? []
  try {
    return JSON.parse(Buffer.from(header, 'base64url').toString()).typ
  } catch {
    return undefined
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
      request.guarded = await check(request)
      request.accountId = request.guarded.account.id
    })
}

declare module 'fastify' {
  interface FastifyContextConfig {
    guard?: Guard
    /** Problems that the route itself may answer with. Guards and the body add theirs. */
    problems?: ProblemCode[]
  }
}
