import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { callerOf } from '../../http/caller.ts'
import { ref } from '../../http/schemas.ts'
import { enrolInSession } from '../enrol-in-session.ts'
import type { FactorsRoom } from '../room.ts'
import { ConfirmedSchema, confirmedResponse } from '../schemas.ts'
import { enrolmentForms } from './enrolment-forms.ts'
import { ConfirmBody, EnrolmentSchema, SetupBody } from './schemas.ts'
import { setUp } from './set-up.ts'

const tags = ['Second factor']

/** For an mfa token of an account without a factor, or an account token. */
export const setupRoutes: FastifyPluginAsyncTypebox<{ room: FactorsRoom }> = async (app, { room }) => {
  app.post(
    '/2fa/setup',
    {
      config: {
        limit: 'codes',
        problems: [
          ...(['already_enrolled', 'enrolment_code_required', 'factor_limit_reached'] as const),
          ...(['invalid_code', 'not_acceptable', 'not_found'] as const),
        ],
      },
      schema: {
        operationId: 'setUpTotp',
        tags,
        summary: 'Set up an authenticator app',
        body: SetupBody,
        description:
          'Repeated calls with the same token return the same secret until a code is tried. With an account token, the route adds an authenticator. `Accept` selects the form of the answer: JSON, the QR code as an image, or the QR code as text for a terminal.',
        response: {
          200: {
            description: 'A pending authenticator',
            content: {
              'application/json': { schema: ref(EnrolmentSchema) },
              'image/png': { schema: Type.Unsafe<Buffer>({ type: 'string', format: 'binary' }) },
              'image/svg+xml': { schema: Type.String() },
              'text/plain': { schema: Type.String() },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const form = enrolmentForms.choose(request)
      const { enrolment_code: enrolmentCode, ...wanted } = request.body
      const pending = await setUp(
        room,
        request.principal('mfa', 'account'),
        { ...wanted, ...(enrolmentCode !== undefined && { enrolmentCode }) },
        callerOf(request),
      )
      return reply.type(form.mediaType).send(await form.render(pending))
    },
  )
}

/** For an account token. */
export const confirmRoutes: FastifyPluginAsyncTypebox<{ room: FactorsRoom }> = async (app, { room }) => {
  app.post(
    '/2fa/setup/confirm',
    {
      config: { limit: 'codes', problems: ['not_enrolled', 'invalid_code', 'factor_limit_reached'] },
      schema: {
        operationId: 'confirmTotp',
        tags,
        summary: 'Confirm the authenticator that was set up with an account token',
        description:
          'From now on its codes can be used to sign in. If it replaces another authenticator, that one is removed. Every session ends. The answer has the tokens of a new session.',
        body: ConfirmBody,
        response: { 200: ref(ConfirmedSchema) },
      },
    },
    async (request) => {
      const confirming = { factor: room.factors.named('totp'), answer: request.body }
      return confirmedResponse(
        room,
        await enrolInSession(room, request.principal('account'), confirming, callerOf(request)),
      )
    },
  )
}
