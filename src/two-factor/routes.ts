import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { clientOf } from '../http/client.ts'
import { accessPrincipalOf, mfaPrincipalOf, principalOf } from '../http/principal.ts'
import { ref } from '../http/schemas.ts'
import type { AccessTokens } from '../tokens/access-token.ts'
import { AccessTokenResponse } from '../tokens/schemas.ts'
import type { RespondWithTokens } from '../tokens/token-response.ts'
import type { Confirm } from './confirm.ts'
import { enrolmentForms } from './enrolment-forms.ts'
import { AnswerBody, ConfirmBody, Enrolment, VerifyResponse } from './schemas.ts'
import type { SetUp } from './setup.ts'
import type { StepUp } from './step-up.ts'
import type { Verified, Verify } from './verify.ts'

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
      const { account, kind } = principalOf(request)
      const form = enrolmentForms.choose(request)
      const enrolment = await setUp(account, { mayReplace: kind === 'access' })
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
      const verified = await verify({ account, challenge, answer: { code, method } }, clientOf(request))
      return { ...respondWithTokens(verified.grant), ...recoveryCodesOf(verified) }
    },
  )
}

/** For an access token. */
export const stepUpRoutes: FastifyPluginAsyncTypebox<{ stepUp: StepUp; accessTokens: AccessTokens }> = async (
  app,
  { stepUp, accessTokens },
) => {
  app.post(
    '/2fa/step-up',
    {
      config: {
        limit: 'codes',
        problems: ['not_enrolled', 'email_unavailable', 'invalid_code', 'too_many_attempts'],
      },
      schema: {
        operationId: 'stepUp',
        tags,
        summary: 'Prove the second factor anew, get a fresh access token',
        description:
          'What changes a factor or a credential asks for a token whose `auth_time` is at most 300 s ago (RFC 9470).',
        body: AnswerBody,
        response: { 200: ref(AccessTokenResponse) },
      },
    },
    async (request) => {
      const { code, method = 'totp' } = request.body
      const signedIn = await stepUp(accessPrincipalOf(request), { code, method })
      return {
        access_token: accessTokens.issue(signedIn),
        token_type: 'Bearer' as const,
        expires_in: accessTokens.ttl,
      }
    },
  )
}

/** For a fresh access token. */
export const confirmRoutes: FastifyPluginAsyncTypebox<{
  confirm: Confirm
  respondWithTokens: RespondWithTokens
}> = async (app, { confirm, respondWithTokens }) => {
  app.post(
    '/2fa/setup/confirm',
    {
      config: { limit: 'codes', problems: ['not_enrolled', 'invalid_code'] },
      schema: {
        operationId: 'confirmTotp',
        tags,
        summary: 'Confirm the authenticator that was set up with an access token',
        description:
          'The new authenticator takes the place of the old one at this moment. The answer has new tokens for the same session.',
        body: ConfirmBody,
        response: { 200: ref(VerifyResponse) },
      },
    },
    async (request) => {
      const verified = await confirm(accessPrincipalOf(request), request.body.code)
      return { ...respondWithTokens(verified.grant), ...recoveryCodesOf(verified) }
    },
  )
}

function recoveryCodesOf({ recoveryCodes }: Verified): { recovery_codes?: string[] } {
  return recoveryCodes ? { recovery_codes: recoveryCodes } : {}
}
