import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { callerOf } from '../http/caller.ts'
import { ref } from '../http/schemas.ts'
import { StepUpResponseSchema } from '../tokens/schemas.ts'
import { stepUpResponse } from '../tokens/token-response.ts'
import { login } from './login.ts'
import { loginResponse } from './login-response.ts'
import { loginWithRecoveryCode } from './login-with-recovery-code.ts'
import type { SignInRoom } from './room.ts'
import { LoginBody, LoginResponse } from './schemas.ts'
import { stepUp } from './step-up.ts'
import { StepUpBody, stepUpOf, stepUpValidator } from './step-up-body.ts'

/** Without a token. */
export const loginRoutes: FastifyPluginAsyncTypebox<{ room: SignInRoom }> = async (app, { room }) => {
  app.post(
    '/login',
    {
      config: {
        limit: 'login',
        problems: ['invalid_credentials', 'invalid_code', 'too_many_attempts', 'overloaded'],
      },
      schema: {
        operationId: 'login',
        tags: ['Account'],
        summary: 'Sign in with username, or verified address, and password',
        description:
          'Send the mfa token of the answer to `/2fa/verify` with a code. If no second factor is set up yet, send it to `/2fa/setup` first.',
        body: LoginBody,
        response: { 200: LoginResponse },
      },
    },
    async (request) => {
      const { recovery_code: recoveryCode, ...credentials } = request.body
      const outcome =
        recoveryCode === undefined
          ? await login(room, credentials, callerOf(request))
          : await loginWithRecoveryCode(room, { ...credentials, recoveryCode }, callerOf(request))
      return loginResponse(room, outcome)
    },
  )
}

/** For an access token. */
export const stepUpRoutes: FastifyPluginAsyncTypebox<{ room: SignInRoom }> = async (app, { room }) => {
  app.post(
    '/2fa/step-up',
    {
      config: {
        limit: 'codes',
        problems: [
          ...(['insufficient_user_authentication', 'invalid_credentials', 'not_enrolled'] as const),
          ...(['email_unavailable', 'invalid_code', 'passkey_rejected', 'too_many_attempts'] as const),
          'overloaded',
        ],
      },
      validatorCompiler: stepUpValidator(room.factors),
      schema: {
        operationId: 'stepUp',
        tags: ['Second factor'],
        summary: 'Confirm the second factor and the password again, and get an account token',
        description:
          'The answer has an account token if the password and the best factor of the account were used within the last 300 s (RFC 9470). Within 300 s of a sign-in, a code alone is enough.',
        body: StepUpBody,
        response: { 200: ref(StepUpResponseSchema) },
      },
    },
    async (request) => {
      const shown = stepUpOf(room.factors, request.body)
      const principal = request.principal('access')
      const steppedUp = await stepUp(room, principal, shown, callerOf(request))
      return stepUpResponse(room, steppedUp, principal.claims.aud)
    },
  )
}
