import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { clientOf } from '../http/client.ts'
import { accessPrincipalOf } from '../http/principal.ts'
import { NO_CONTENT, ref } from '../http/schemas.ts'
import type { AccessTokens } from '../tokens/access-token.ts'
import { AccessTokenResponse } from '../tokens/schemas.ts'
import type { RespondWithTokens } from '../tokens/token-response.ts'
import type { Confirm } from './confirm.ts'
import type { DescribeFactors } from './describe-factors.ts'
import type { RemoveFactors } from './remove.ts'
import type { RenewRecoveryCodes } from './renew-recovery-codes.ts'
import { AnswerBody, ConfirmBody, FactorsResponse, RecoveryCodeList, VerifyResponse } from './schemas.ts'
import type { StepUp } from './step-up.ts'
import { recoveryCodesOf } from './verify.ts'

const tags = ['Second factor']

/** For an access token. */
export const factorRoutes: FastifyPluginAsyncTypebox<{
  describeFactors: DescribeFactors
  stepUp: StepUp
  accessTokens: AccessTokens
}> = async (app, { describeFactors, stepUp, accessTokens }) => {
  app.get(
    '/2fa',
    {
      schema: {
        operationId: 'getFactors',
        tags,
        summary: 'The second factors of the account',
        response: { 200: FactorsResponse },
      },
    },
    (request) => describeFactors(accessPrincipalOf(request).account),
  )

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
      const signedIn = await stepUp(accessPrincipalOf(request), { code, method }, clientOf(request))
      return {
        access_token: accessTokens.issue(signedIn),
        token_type: 'Bearer' as const,
        expires_in: accessTokens.ttl,
      }
    },
  )
}

/** For a fresh access token. */
export const changeFactorRoutes: FastifyPluginAsyncTypebox<{
  confirm: Confirm
  renewRecoveryCodes: RenewRecoveryCodes
  removeFactors: RemoveFactors
  respondWithTokens: RespondWithTokens
}> = async (app, { confirm, renewRecoveryCodes, removeFactors, respondWithTokens }) => {
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
      const verified = await confirm(accessPrincipalOf(request), request.body.code, clientOf(request))
      return { ...respondWithTokens(verified.grant), ...recoveryCodesOf(verified) }
    },
  )

  app.post(
    '/2fa/recovery-codes',
    {
      config: { limit: 'codes', problems: ['not_enrolled'] },
      schema: {
        operationId: 'renewRecoveryCodes',
        tags,
        summary: 'Make ten new recovery codes; the old ones are void',
        response: { 200: RecoveryCodeList },
      },
    },
    async (request) => {
      return { recovery_codes: await renewRecoveryCodes(accessPrincipalOf(request), clientOf(request)) }
    },
  )

  app.delete(
    '/2fa',
    {
      config: { problems: ['two_factor_required'] },
      schema: {
        operationId: 'removeFactors',
        tags,
        summary: 'Remove the second factor, where the service does not require one',
        response: { 204: NO_CONTENT },
      },
    },
    async (request, reply) => {
      await removeFactors(accessPrincipalOf(request), clientOf(request))
      return reply.code(204).send(null)
    },
  )
}
