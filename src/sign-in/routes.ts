import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { clientOf } from '../http/client.ts'
import type { RespondWithTokens } from '../tokens/token-response.ts'
import type { Login } from './login.ts'
import type { DescribeMfaStep } from './mfa-step.ts'
import { LoginBody, LoginResponse } from './schemas.ts'

/** Open to everybody. */
export const loginRoutes: FastifyPluginAsyncTypebox<{
  login: Login
  describeMfaStep: DescribeMfaStep
  respondWithTokens: RespondWithTokens
}> = async (app, { login, describeMfaStep, respondWithTokens }) => {
  app.post(
    '/login',
    {
      config: {
        limit: 'login',
        hashes: true,
        problems: ['invalid_credentials', 'too_many_attempts', 'overloaded'],
      },
      schema: {
        operationId: 'login',
        tags: ['Sign in'],
        summary: 'Show a password, get an mfa token',
        body: LoginBody,
        response: { 200: LoginResponse },
      },
    },
    async (request) => {
      const outcome = await login(request.body, clientOf(request))
      return 'challenge' in outcome
        ? describeMfaStep(outcome)
        : { mfa_required: false as const, ...respondWithTokens(outcome) }
    },
  )
}
