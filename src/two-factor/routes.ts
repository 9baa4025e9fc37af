import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { clientOf } from '../http/client.ts'
import { mfaPrincipalOf, principalOf } from '../http/principal.ts'
import { ref } from '../http/schemas.ts'
import type { RespondWithTokens } from '../tokens/token-response.ts'
import type { EmailCodes } from './email-codes.ts'
import { enrolmentForms } from './enrolment-forms.ts'
import { AnswerBody, Enrolment, SentCodeResponse, VerifyResponse } from './schemas.ts'
import type { SetUp } from './setup.ts'
import { recoveryCodesOf, type Verify } from './verify.ts'

const tags = ['Second factor']

/** For an mfa token of an account without a factor, or a fresh access token. */
export const setupRoutes: FastifyPluginAsyncTypebox<{ setUp: SetUp }> = async (app, { setUp }) => {
  app.post(
    '/2fa/setup',
    {
      config: { limit: 'codes', problems: ['already_enrolled', 'not_acceptable'] },
      schema: {
        operationId: 'setUpTotp',
        tags,
        summary: 'Set up an authenticator',
        description:
          'Makes a new pending secret and voids the one before it. By `Accept`, the answer is JSON, the QR code as a picture, or the QR code drawn for a terminal.',
        response: {
          200: {
            description: 'A pending authenticator',
            content: {
              'application/json': { schema: ref(Enrolment) },
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
      const enrolment = await setUp(principalOf(request), clientOf(request))
      return reply.type(form.mediaType).send(await form.render(enrolment))
    },
  )
}

/** For an mfa token. */
export const verifyRoutes: FastifyPluginAsyncTypebox<{
  verify: Verify
  respondWithTokens: RespondWithTokens
}> = async (app, { verify, respondWithTokens }) => {
  app.post(
    '/2fa/verify',
    {
      config: {
        limit: 'codes',
        problems: ['not_enrolled', 'email_unavailable', 'invalid_code', 'too_many_attempts'],
      },
      schema: {
        operationId: 'verify',
        tags,
        summary: 'Swap the mfa token and a code for an access token',
        body: AnswerBody,
        response: { 200: ref(VerifyResponse) },
      },
    },
    async (request) => {
      const { account, challenge } = mfaPrincipalOf(request)
      const { code, method = 'totp' } = request.body
      const verified = await verify({ account, challenge, code, method }, clientOf(request))
      return { ...respondWithTokens(verified.grant), ...recoveryCodesOf(verified) }
    },
  )
}

/** For an mfa token, where codes by mail are offered. */
export const emailCodeRoutes: FastifyPluginAsyncTypebox<{ emailCodes: EmailCodes }> = async (
  app,
  { emailCodes },
) => {
  app.post(
    '/2fa/email',
    {
      config: { limit: 'codes', problems: ['email_unavailable', 'email_delivery_failed'] },
      schema: {
        operationId: 'sendEmailCode',
        tags,
        summary: 'Send a code to the address of the account',
        description: 'Each mail voids the code before it. A wrong code counts against the same five tries.',
        response: { 202: SentCodeResponse },
      },
    },
    async (request, reply) => {
      const { account, challenge } = mfaPrincipalOf(request)
      const { sentTo, expiresIn, resendAfter } = await emailCodes.send(account, challenge, clientOf(request))
      reply.code(202)
      return { sent_to: sentTo, expires_in: expiresIn, resend_after: resendAfter }
    },
  )
}
