import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { noSuchSession } from '../errors.ts'
import { clientOf } from '../http/client.ts'
import { accessPrincipalOf } from '../http/principal.ts'
import { CLOSED, NO_CONTENT, ref } from '../http/schemas.ts'
import { rfc3339 } from '../platform/clock.ts'
import type { Db } from '../platform/database.ts'
import type { Refresh } from './refresh.ts'
import { RefreshBody, SessionId, Session as SessionSchema, TokenResponse } from './schemas.ts'
import type { Sessions } from './sessions.ts'
import type { StillSignedIn } from './signed-in.ts'
import type { RespondWithTokens } from './token-response.ts'

/** Open to everybody: the refresh token speaks for itself. */
export const refreshRoutes: FastifyPluginAsyncTypebox<{
  refresh: Refresh
  respondWithTokens: RespondWithTokens
}> = async (app, { refresh, respondWithTokens }) => {
  app.post(
    '/token/refresh',
    {
      config: { problems: ['invalid_refresh_token'] },
      schema: {
        operationId: 'refresh',
        tags: ['Tokens'],
        summary: 'Swap a refresh token for the next one and an access token',
        description:
          'A refresh token is good once. The same call again within ten seconds, after a lost answer or from another tab, gets the same next token; any later use of an old one ends the session.',
        body: RefreshBody,
        response: { 200: ref(TokenResponse) },
      },
    },
    async (request) => respondWithTokens(await refresh(request.body.refresh_token, clientOf(request))),
  )
}

const tags = ['Sessions']

/** For an access token. */
export const sessionRoutes: FastifyPluginAsyncTypebox<{
  db: Db
  sessions: Sessions
  stillSignedIn: StillSignedIn
}> = async (app, { db, sessions, stillSignedIn }) => {
  app.post(
    '/logout',
    {
      schema: {
        operationId: 'logout',
        tags,
        summary: 'End the session of this access token',
        response: { 204: NO_CONTENT },
      },
    },
    async (request, reply) => {
      const { account, session } = accessPrincipalOf(request)
      await db.transaction().execute((trx) => sessions.end(trx, account, session.id, clientOf(request)))
      return reply.code(204).send(null)
    },
  )

  app.get(
    '/sessions',
    {
      schema: {
        operationId: 'listSessions',
        tags,
        summary: 'Where the account is signed in',
        response: {
          200: Type.Object(
            { sessions: Type.Array(ref(SessionSchema)) },
            { ...CLOSED, description: 'The live sessions, the one used last first' },
          ),
        },
      },
    },
    async (request) => {
      const { account, session: current } = accessPrincipalOf(request)
      const live = await sessions.list(account.id)
      return {
        sessions: live.map((session) => ({
          id: session.id,
          created_at: rfc3339(session.createdAt),
          last_used_at: rfc3339(session.lastUsedAt),
          ip: session.ip,
          user_agent: session.userAgent,
          amr: [...session.amr],
          current: session.id === current.id,
        })),
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
      const ended = await db.transaction().execute(async (trx) => {
        const account = await stillSignedIn(trx, accessPrincipalOf(request))
        return sessions.end(trx, account, request.params.id, clientOf(request))
      })
      if (!ended) throw noSuchSession()
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
      const signedIn = accessPrincipalOf(request)
      await db.transaction().execute(async (trx) => {
        await stillSignedIn(trx, signedIn)
        await sessions.endOthers(trx, signedIn, clientOf(request))
      })
      return reply.code(204).send(null)
    },
  )
}
