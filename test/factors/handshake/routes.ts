import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { enrolInSession } from '../../../src/factors/enrol-in-session.ts'
import type { FactorsRoom } from '../../../src/factors/room.ts'
import { ConfirmedSchema, confirmedResponse } from '../../../src/factors/schemas.ts'
import { callerOf } from '../../../src/http/caller.ts'
import { CLOSED, ref } from '../../../src/http/schemas.ts'
import { begin, CHALLENGE_SECONDS, challengeKeys } from './handshake.ts'
import { HandshakeBody, PendingHandshakeSchema } from './schemas.ts'

type Plugin = FastifyPluginAsyncTypebox<{ room: FactorsRoom }>

const tags = ['Second factor']

/** For an mfa token of an account without a factor, or an account token. */
export const beginRoutes: Plugin = async (app, { room }) => {
  app.post(
    '/2fa/handshake',
    {
      config: { limit: 'codes', problems: ['already_enrolled'] },
      schema: { operationId: 'beginHandshake', tags, response: { 200: ref(PendingHandshakeSchema) } },
    },
    async (request) => {
      const { id, key, challenge } = await begin(room, request.principal('mfa', 'account'), callerOf(request))
      return { key_id: id, key: key.toString('base64url'), challenge, expires_in: CHALLENGE_SECONDS }
    },
  )
}

/** For an mfa token or an access token. */
export const challengeRoutes: Plugin = async (app, { room }) => {
  app.post(
    '/2fa/handshake/challenge',
    {
      config: { limit: 'codes', problems: ['not_enrolled'] },
      schema: {
        operationId: 'challengeHandshake',
        tags,
        response: { 200: Type.Object({ challenge: Type.String(), expires_in: Type.Integer() }, CLOSED) },
      },
    },
    async (request) => ({
      challenge: await challengeKeys(room, request.principal('mfa', 'access')),
      expires_in: CHALLENGE_SECONDS,
    }),
  )
}

/** For an account token. */
export const confirmRoutes: Plugin = async (app, { room }) => {
  app.post(
    '/2fa/handshake/confirm',
    {
      config: { limit: 'codes', problems: ['invalid_code'] },
      schema: {
        operationId: 'confirmHandshake',
        tags,
        body: HandshakeBody,
        response: { 200: ref(ConfirmedSchema) },
      },
    },
    async (request) => {
      const confirming = { factor: room.factors.named('handshake'), answer: request.body }
      return confirmedResponse(
        room,
        await enrolInSession(room, request.principal('account'), confirming, callerOf(request)),
      )
    },
  )
}
