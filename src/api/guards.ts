import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Challenges } from '../challenges/challenges.ts'
import { MFA_TOKEN_TYP } from '../challenges/mfa-token.ts'
import { authenticate, clientOfToken } from '../clients/authenticate.ts'
import { INTROSPECT } from '../clients/client.ts'
import type { ClientsRoom } from '../clients/room.ts'
import {
  credentialsTwice,
  insufficientScope,
  insufficientUserAuthentication,
  invalidClient,
  invalidToken,
  type ProblemCode,
} from '../errors.ts'
import { checkAccountToken } from '../factors/change.ts'
import type { Factors } from '../factors/factors.ts'
import { ACCESS_TOKEN_TYP } from '../tokens/access-token.ts'
import { findSignedIn } from '../tokens/signed-in.ts'
import { bearerToken, kindOf } from './bearer.ts'
import type {
  AccessPrincipal,
  AccountPrincipal,
  ClientPrincipal,
  MfaPrincipal,
  Principal,
  ScopeName,
} from './principal.ts'

/** What a scope asks of each request before anything else happens. */
export interface Guard {
  scope: ScopeName
  /** @returns `null` where the body shows what the route takes. */
  check?: (request: FastifyRequest) => Promise<Principal | null>
  /** Whether it reads the body, too, and so comes after that was read. */
  readsBody?: true
  /** For the OpenAPI document: one of these security schemes is required. */
  security: Record<string, string[]>[]
  problems: ProblemCode[]
}

/** The parts of the service that guards use. */
interface GuardsRoom extends ClientsRoom {
  challenges: Challenges
  factors: Factors
}

/**
 * Makes the guards of the scopes. A token is accepted only after its row was found alive: a consumed challenge, an
 * ended session or a disabled account ends it at once, whatever the token says.
 */
export function makeGuards(room: GuardsRoom): Record<ScopeName, Guard> {
  const { challenges, db, factors } = room

  async function checkMfa(request: FastifyRequest): Promise<MfaPrincipal> {
    const claims = await request.mfaClaims(bearerToken(request))
    const challenge = await challenges.find(claims.jti)
    if (challenge?.accountId !== claims.sub)
      throw invalidToken('the challenge is consumed, expired or used up, or its account is gone', 'used')
    return { kind: 'mfa', account: { id: claims.sub }, challenge }
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

  /** A token in the body takes the place of an access token, which may have run out and be sent all the same. */
  const checkAccessUnless = (member: string) => async (request: FastifyRequest) => {
    const body = request.body as Record<string, unknown> | undefined
    return (body?.[member] ?? null) === null ? checkAccess(request) : null
  }

  async function checkIntrospecting(request: FastifyRequest): Promise<Principal> {
    const { authorization } = request.headers
    const body = request.body as { client_id?: unknown; client_secret?: unknown } | undefined
    if (authorization !== undefined && (body?.client_secret ?? null) !== null) throw credentialsTwice()
    const bySecret =
      authorization === undefined ? (body?.client_id ?? null) !== null : /^basic /i.test(authorization)
    const principal = bySecret ? await checkSecret(request) : await checkAccessOrService(request)
    if (principal.kind === 'client' && !principal.client.scopes.includes(INTROSPECT))
      throw insufficientScope(INTROSPECT)
    return principal
  }

  async function checkSecret(request: FastifyRequest): Promise<ClientPrincipal> {
    const client = await authenticate(room, request)
    if (client) return { kind: 'client', client }
    throw invalidClient('the client of people shows no secret')
  }

  async function checkAccessOrService(request: FastifyRequest): Promise<ClientPrincipal | AccessPrincipal> {
    try {
      const claims = await request.eitherClaims(bearerToken(request))
      if ('sid' in claims) return { kind: 'access', claims, ...(await findSignedIn(room, claims)) }
      const client = await clientOfToken(room, claims)
      request.clientId = client.id
      return { kind: 'client', client: { ...client, scopes: claims.scope?.split(' ') ?? [] } }
    } finally {
      await request.countRequest?.(request.clientId ? 'client' : 'general')
    }
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
    'access-or-refresh': {
      scope: 'access-or-refresh',
      check: checkAccessUnless('refresh_token'),
      readsBody: true,
      security: [{ accessToken: [] }, {}],
      problems: ['invalid_token'],
    },
    'access-or-link': {
      scope: 'access-or-link',
      check: checkAccessUnless('token'),
      readsBody: true,
      security: [{ accessToken: [] }, {}],
      problems: ['invalid_token'],
    },
    'client-or-access': {
      scope: 'client-or-access',
      check: checkIntrospecting,
      readsBody: true,
      security: [{ clientSecret: [] }, { serviceToken: [] }, { accessToken: [] }],
      problems: ['invalid_token', 'insufficient_scope'],
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
const tokenTyp = ({ headers }: FastifyRequest): string =>
  kindOf(/^Bearer +(\S+)/i.exec(headers.authorization ?? '')?.[1] ?? '')

/** Puts a guard before every route that is registered in this scope afterwards. */
export function protect(scope: FastifyInstance, guard: Guard): void {
  scope.addHook('onRoute', (route) => {
    route.config = { ...route.config, guard }
  })
  const { check, readsBody } = guard
  if (check)
    scope.addHook(readsBody ? 'preValidation' : 'onRequest', async (request: FastifyRequest) => {
      const guarded = await check(request)
      request.guarded = guarded
      if (guarded && guarded.kind !== 'client') request.accountId = guarded.account.id
    })
}

declare module 'fastify' {
  interface FastifyContextConfig {
    guard?: Guard
    /** Problems that the route itself may answer with. Guards and the body add theirs. */
    problems?: ProblemCode[]
  }
}
