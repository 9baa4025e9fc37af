import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { AppError, invalidRefreshToken, validationFailed } from '../errors.ts'
import { callerOf } from '../http/caller.ts'
import { acceptForm, FORM } from '../http/form-body.ts'
import { readPage } from '../http/paging.ts'
import { NO_CONTENT, NO_QUERY, ref } from '../http/schemas.ts'
import { rfc3339 } from '../platform/clock.ts'
import { texts } from '../texts/texts.ts'
import { endOtherSessions, endOwnSession, endSessionOf, endSessionOfRefreshToken } from './end-sessions.ts'
import { refresh } from './refresh.ts'
import type { TokensRoom } from './room.ts'
import {
  IntrospectBody,
  LogoutBody,
  RefreshBody,
  RefreshHeaders,
  SessionId,
  SessionPage,
  SessionQuery,
  TokenResponseSchema,
} from './schemas.ts'
import { findSignedIn } from './signed-in.ts'
import type { AfterSession } from './store.ts'
import { tokenResponse } from './token-response.ts'

/** Without an access token: the refresh token is in the body. */
export const refreshRoutes: FastifyPluginAsyncTypebox<{ room: TokensRoom }> = async (app, { room }) => {
  app.post(
    '/token/refresh',
    {
      config: { problems: ['invalid_refresh_token'] },
      schema: {
        operationId: 'refreshToken',
        tags: ['Tokens'],
        summary: 'Exchange a refresh token for new tokens',
        description:
          'A refresh token works once. A repeat, after a lost response or from another tab, returns the same new refresh token while that one is unused, if it carries the `Idempotency-Key` of the first use or comes within 60 seconds from the same network (IPv4 /24, IPv6 /48). Any other repeat ends the session. A session can be refreshed at most ten times a minute. A refresh that is refused with `rate_limited` does not use up the token.',
        headers: RefreshHeaders,
        querystring: NO_QUERY,
        body: RefreshBody,
        response: { 200: ref(TokenResponseSchema) },
      },
    },
    async (request) => {
      const { 'idempotency-key': idempotencyKey } = request.headers
      const { refresh_token: token, resource } = request.body
      if (resource !== undefined && !room.audiences.includes(resource))
        throw validationFailed([
          { pointer: '/resource', code: 'pattern', detail: texts.details.noSuchAudience },
        ])
      const shown = { token, idempotencyKey }
      return tokenResponse(room, await refresh(room, shown, callerOf(request)), resource)
    },
  )
}

/** Without an access token in the header: the token is in the body. */
export const revocationRoutes: FastifyPluginAsyncTypebox<{ room: TokensRoom }> = async (app, { room }) => {
  acceptForm(app, Object.keys(IntrospectBody.properties))
  app.post(
    '/token/revoke',
    {
      config: { oauthErrors: 'all' },
      schema: {
        operationId: 'revokeToken',
        tags: ['Tokens'],
        summary: 'End the session of a token (RFC 7009)',
        description:
          'Accepts a refresh token, even a used one, or a valid access token. For any other token nothing happens, and the answer is the same.',
        consumes: ['application/json', FORM],
        querystring: NO_QUERY,
        body: IntrospectBody,
        response: {
          200: Type.Unsafe<undefined>({ type: 'null', description: 'Its session has ended' }),
        },
      },
    },
    async (request, reply) => {
      const { token } = request.body
      const caller = callerOf(request)
      if (!(await endSessionOfRefreshToken(room, token, caller)))
        try {
          await endOwnSession(room, await findSignedIn(room, await request.accessClaims(token)), caller)
        } catch (error) {
          if (!(error instanceof AppError && error.code === 'invalid_token')) throw error
        }
      return reply.code(200).send()
    },
  )
}

const tags = ['Sessions']

/** Not the id alone: the session with that id may be used, or end, before the next page is asked for. */
function placeIn(before: string | undefined): AfterSession | undefined {
  if (before === undefined) return undefined
  const [lastUsedAt, id = ''] = before.split(/\.(.*)/s)
  return { lastUsedAt: Number(lastUsedAt), id }
}

/** For an access token, or a refresh token in the body. */
export const logoutRoutes: FastifyPluginAsyncTypebox<{ room: TokensRoom }> = async (app, { room }) => {
  app.post(
    '/logout',
    {
      config: { problems: ['invalid_refresh_token'] },
      schema: {
        operationId: 'logout',
        tags,
        summary: 'Sign out: end the current session',
        description:
          'If the body has the refresh token, no access token is required, as it may have expired. A used refresh token works too.',
        querystring: NO_QUERY,
        body: LogoutBody,
        response: { 204: NO_CONTENT },
      },
    },
    async (request, reply) => {
      const { refresh_token: token } = request.body
      const caller = callerOf(request)
      if (token === undefined) await endOwnSession(room, request.principal('access'), caller)
      else if (!(await endSessionOfRefreshToken(room, token, caller)))
        throw invalidRefreshToken('it has no live session')
      return reply.code(204).send(null)
    },
  )
}

/** For an access token. */
export const sessionRoutes: FastifyPluginAsyncTypebox<{ room: TokensRoom }> = async (app, { room }) => {
  app.get(
    '/sessions',
    {
      config: { problems: ['validation_failed'] },
      schema: {
        operationId: 'listSessions',
        tags,
        summary: 'List the active sessions of the account',
        description: 'The session of the access token in use is `current`.',
        querystring: SessionQuery,
        response: { 200: SessionPage },
      },
    },
    async (request) => {
      const { account, session: current } = request.principal('access')
      const after = placeIn(request.query.before)
      const { page, next } = await readPage(
        request.query,
        (limit) => room.sessions.list(account.id, { limit, ...(after && { after }) }),
        ({ lastUsedAt, id }) => `${lastUsedAt}.${id}`,
      )
      return {
        sessions: page.map((session) => ({
          id: session.id,
          created_at: rfc3339(session.createdAt),
          last_used_at: rfc3339(session.lastUsedAt),
          ip: session.ip,
          user_agent: session.userAgent,
          amr: [...session.amr],
          refresh_repeated_at: session.refreshRepeatedAt === null ? null : rfc3339(session.refreshRepeatedAt),
          current: session.id === current.id,
        })),
        next,
      }
    },
  )

  app.delete(
    '/sessions/:id',
    {
      config: { problems: ['not_found'] },
      schema: {
        operationId: 'endSession',
        tags,
        summary: 'End one session of the account',
        description:
          'Its refresh token stops working at once. Other services accept its access token until that expires.',
        params: SessionId,
        response: { 204: NO_CONTENT },
      },
    },
    async (request, reply) => {
      await endSessionOf(room, request.principal('access'), request.params.id, callerOf(request))
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/sessions',
    {
      schema: {
        operationId: 'endOtherSessions',
        tags,
        summary: 'End all other sessions of the account',
        description: 'The session of the access token in use stays active.',
        response: { 204: NO_CONTENT },
      },
    },
    async (request, reply) => {
      await endOtherSessions(room, request.principal('access'), callerOf(request))
      return reply.code(204).send(null)
    },
  )
}
