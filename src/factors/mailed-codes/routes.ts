import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { callerOf } from '../../http/caller.ts'
import { NO_CONTENT } from '../../http/schemas.ts'
import type { FactorsRoom } from '../room.ts'
import { SentCodeResponse, SwitchBody } from './schemas.ts'
import { sendCode } from './send-code.ts'
import { switchCodes } from './switch-codes.ts'

/** For an mfa token, when codes by mail are offered. */
export const mailedCodeRoutes: FastifyPluginAsyncTypebox<{ room: FactorsRoom }> = async (app, { room }) => {
  app.post(
    '/2fa/email',
    {
      config: {
        limit: 'codes',
        problems: ['email_unavailable', 'enrolment_code_required', 'email_delivery_failed'],
      },
      schema: {
        operationId: 'sendEmailCode',
        tags: ['Second factor'],
        summary: 'Send a code by email',
        description:
          'A new code replaces the previous one. A wrong code counts towards the same five attempts.',
        response: { 202: SentCodeResponse },
      },
    },
    async (request, reply) => {
      const { sentTo, expiresIn, resendAfter } = await sendCode(
        room,
        request.principal('mfa'),
        callerOf(request),
      )
      reply.code(202)
      return { sent_to: sentTo, expires_in: expiresIn, resend_after: resendAfter }
    },
  )
}

/** For an account token. */
export const switchRoutes: FastifyPluginAsyncTypebox<{ room: FactorsRoom }> = async (app, { room }) => {
  app.put(
    '/2fa/email',
    {
      config: { problems: ['email_unavailable', 'two_factor_required'] },
      schema: {
        operationId: 'switchEmailCodes',
        tags: ['Second factor'],
        summary: 'Switch codes by email on or off',
        description:
          'On: a code that is mailed to the verified address can be used to sign in, as an alternative to the other second factor, at `acr` `aal1`. Off: all other sessions end.',
        body: SwitchBody,
        response: { 204: NO_CONTENT },
      },
    },
    async (request, reply) => {
      await switchCodes(room, request.principal('account'), request.body.enabled, callerOf(request))
      return reply.code(204).send(null)
    },
  )
}
