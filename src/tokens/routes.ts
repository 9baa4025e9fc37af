import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { callerOf } from '../http/caller.ts'
import { readPage } from '../http/paging.ts'
import { NO_CONTENT, ref } from '../http/schemas.ts'
import { rfc3339 } from '../platform/clock.ts'
import { endOtherSessions, endOwnSession, endSessionOf } from './end-sessions.ts'
import { refresh } from './refresh.ts'
import type { TokensRoom } from './room.ts'
import {
  RefreshBody,
  RefreshHeaders,
  SessionId,
  SessionPage,
  SessionQuery,
  TokenResponseSchema,
} from './schemas.ts'
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
          'A refresh token works once. A repeat, after a lost response or from another tab, returns the same new refresh token while that one is unused, if it carries the `Idempotency-Key` of the first use or comes within 60 seconds from the same network (IPv4 /24, IPv6 /48). Any other repeat ends the session. A session is refreshed ten times a minute at most; what is refused with `rate_limited` uses up no token.',
        headers: RefreshHeaders,
        body: RefreshBody,
        response: { 200: ref(TokenResponseSchema) },
      },
    },
    async (request) => {
      const { 'idempotency-key': idempotencyKey } = request.headers
      const shown = { token: request.body.refresh_token, idempotencyKey }
      return tokenResponse(room, await refresh(room, shown, callerOf(request)))
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

/** For an access token. */
export const sessionRoutes: FastifyPluginAsyncTypebox<{ room: TokensRoom }> = async (app, { room }) => {
  app.post(
    '/logout',
    {
      schema: {
        operationId: 'logout',
        tags,
        summary: 'Sign out: end the current session',
        response: { 204: NO_CONTENT },
      },
    },
    async (request, reply) => {
      await endOwnSession(room, request.principal('access'), callerOf(request))
      return reply.code(204).send(null)
    },
  )

  app.get(
    '/sessions',
    {
      config: { problems: ['validation_failed'] },
      schema: {
        operationId: 'listSessions',
        tags,
        summary: 'List the active sessions of the account',
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
        response: { 204: NO_CONTENT },
      },
    },
    async (request, reply) => {
      await endOtherSessions(room, request.principal('access'), callerOf(request))
      return reply.code(204).send(null)
    },
  )
}
