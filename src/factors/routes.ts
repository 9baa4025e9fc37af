import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { callerOf } from '../http/caller.ts'
import { CLOSED, ref } from '../http/schemas.ts'
import { TokenResponseSchema } from '../tokens/schemas.ts'
import { tokenResponse } from '../tokens/token-response.ts'
import { AnswerBody, FactorsResponse } from './answer-body.ts'
import { answerOf, answerValidator } from './answer-validator.ts'
import { describeFactors, listFactors } from './describe.ts'
import { removeFactors } from './remove.ts'
import { renameFactor } from './rename.ts'
import type { FactorsRoom } from './room.ts'
import { FactorName, FactorSchema, factorResponse, SignInSchema, verifiedResponse } from './schemas.ts'
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
          ...(['invalid_code', 'passkey_rejected', 'too_many_attempts'] as const),
        ],
      },
      validatorCompiler: answerValidator(room.factors),
      schema: {
        operationId: 'verifyCode',
        tags,
        summary: 'Finish the sign-in: exchange the mfa token and a code for an access token',
        description:
          'The first code of a new authenticator confirms it, and the answer has the recovery codes.',
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
        description: 'Also shows how many recovery codes are left.',
        response: { 200: FactorsResponse },
      },
    },
    async (request) => {
      const { account } = request.principal('access')
      const known = await room.factors.of(room.db, account)
      const listed = await listFactors(room, room.db, account, known)
      return { factors: listed.map(factorResponse), ...(await describeFactors(room, account)) }
    },
  )
}

/** For an account token. */
export const changeFactorRoutes: FastifyPluginAsyncTypebox<{ room: FactorsRoom }> = async (app, { room }) => {
  app.delete(
    '/2fa',
    {
      config: { problems: ['two_factor_required'] },
      schema: {
        operationId: 'removeFactors',
        tags,
        summary: 'Remove the second factor, if the service does not require one',
        description: 'Every session ends. The answer has the tokens of a new session.',
        response: { 200: ref(TokenResponseSchema) },
      },
    },
    async (request) =>
      tokenResponse(room, await removeFactors(room, request.principal('account'), callerOf(request))),
  )
  const params = Type.Object({ id: Type.String({ maxLength: 64 }) }, CLOSED)
  app.patch(
    '/2fa/factors/:id',
    {
      config: { problems: ['not_found'] },
      schema: {
        operationId: 'renameFactor',
        tags,
        summary: 'Rename a factor',
        description: 'The account token stays valid.',
        params,
        body: Type.Object({ name: FactorName }, CLOSED),
        response: { 200: ref(FactorSchema) },
      },
    },
    async (request) => {
      const renamed = { id: request.params.id, name: request.body.name }
      return factorResponse(
        await renameFactor(room, request.principal('account'), renamed, callerOf(request)),
      )
    },
  )
  app.delete(
    '/2fa/factors/:id',
    {
      config: { problems: ['two_factor_required', 'not_found'] },
      schema: {
        operationId: 'removeFactor',
        tags,
        summary: 'Remove one factor',
        description:
          'Every session ends. The answer has the tokens of a new session. The last factor can be removed only if the service does not require one. The recovery codes are removed with it.',
        params,
        response: { 200: ref(TokenResponseSchema) },
      },
    },
    async (request) => {
      const removed = removeFactors(room, request.principal('account'), callerOf(request), request.params.id)
      return tokenResponse(room, await removed)
    },
  )
}
