import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { callerOf } from '../http/caller.ts'
import { ref } from '../http/schemas.ts'
import { TokenResponseSchema } from '../tokens/schemas.ts'
import { tokenResponse } from '../tokens/token-response.ts'
import { AnswerBody, FactorsResponse } from './answer-body.ts'
import { answerOf, answerValidator } from './answer-validator.ts'
import { describeFactors } from './describe.ts'
import { removeFactors } from './remove.ts'
import type { FactorsRoom } from './room.ts'
import { SignInSchema, verifiedResponse } from './schemas.ts'
import { verify } from './verify.ts'

const tags = ['Second factor']

/** For an mfa token. */
export const verifyRoutes: FastifyPluginAsyncTypebox<{ room: FactorsRoom }> = async (app, { room }) => {
  app.post(
    '/2fa/verify',
    {
      config: {
        limit: 'codes',
        problems: [
          ...(['not_enrolled', 'email_unavailable', 'enrolment_code_required'] as const),
          ...(['invalid_code', 'too_many_attempts'] as const),
        ],
      },
      validatorCompiler: answerValidator(room.factors),
      schema: {
        operationId: 'verifyCode',
        tags,
        summary: 'Finish the sign-in: exchange the mfa token and a code for an access token',
        body: AnswerBody,
        response: { 200: ref(SignInSchema) },
      },
    },
    async (request) => {
      const answering = answerOf(room.factors, request.body)
      return verifiedResponse(
        room,
        await verify(room, request.principal('mfa'), answering, callerOf(request)),
      )
    },
  )
}

/** For an access token. */
export const factorRoutes: FastifyPluginAsyncTypebox<{ room: FactorsRoom }> = async (app, { room }) => {
  app.get(
    '/2fa',
    {
      schema: {
        operationId: 'getFactors',
        tags,
        summary: 'Get the second factors of the account',
        response: { 200: FactorsResponse },
      },
    },
    (request) => describeFactors(room, request.principal('access').account),
  )
}

/** For an account token. */
export const removeFactorRoutes: FastifyPluginAsyncTypebox<{ room: FactorsRoom }> = async (app, { room }) => {
  app.delete(
    '/2fa',
    {
      config: { problems: ['two_factor_required'] },
      schema: {
        operationId: 'removeFactors',
        tags,
        summary: 'Remove the second factor, if the service does not require one',
        description: 'Every session ends; the answer has the tokens of a new one.',
        response: { 200: ref(TokenResponseSchema) },
      },
    },
    async (request) =>
      tokenResponse(room, await removeFactors(room, request.principal('account'), callerOf(request))),
  )
}
