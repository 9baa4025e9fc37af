import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { callerOf } from '../http/caller.ts'
import { ACCEPTED, NO_CONTENT, ref } from '../http/schemas.ts'
import { TokenResponseSchema } from '../tokens/schemas.ts'
import { tokenResponse } from '../tokens/token-response.ts'
import { changePassword } from './change-password.ts'
import { forgetPassword } from './forgotten-password.ts'
import { resetPassword } from './reset-password.ts'
import type { AccountsRoom } from './room.ts'
import { changePasswordBody, ForgotPasswordBody, resetPasswordBody } from './schemas.ts'

const tags = ['Account']

/** Without a token, for people who cannot sign in. */
export const forgottenPasswordRoutes: FastifyPluginAsyncTypebox<{ room: AccountsRoom }> = async (
  app,
  { room },
) => {
  app.post(
    '/password/forgot',
    {
      config: { limit: 'login' },
      schema: {
        operationId: 'requestPasswordReset',
        tags,
        summary: 'Request a password reset by email',
        description:
          'The answer is the same for every username. The email is sent only to the verified address of the account.',
        body: ForgotPasswordBody,
        response: { 202: ACCEPTED },
      },
    },
    async (request, reply) => {
      await forgetPassword(room, request.body.username, callerOf(request))
      return reply.code(202).send(undefined)
    },
  )

  app.post(
    '/password/reset',
    {
      config: {
        limit: 'login',
        hashes: true,
        problems: [
          'invalid_token',
          'password_rejected',
          'recovery_code_required',
          'invalid_code',
          'too_many_attempts',
          'overloaded',
        ],
      },
      schema: {
        operationId: 'resetPassword',
        tags,
        summary: 'Set a new password with the token from the email',
        description:
          'Ends every session. The second factor does not change; if it is a code sent to the same mailbox, a recovery code is required.',
        body: resetPasswordBody(room.passwordMin),
        response: { 204: NO_CONTENT },
      },
    },
    async (request, reply) => {
      const { token, new_password: newPassword, recovery_code: recoveryCode } = request.body
      const reset = { token, newPassword, ...(recoveryCode !== undefined && { recoveryCode }) }
      await resetPassword(room, reset, callerOf(request))
      return reply.code(204).send(null)
    },
  )
}

/** For an account token. */
export const changePasswordRoutes: FastifyPluginAsyncTypebox<{ room: AccountsRoom }> = async (
  app,
  { room },
) => {
  app.post(
    '/password/change',
    {
      config: {
        limit: 'login',
        hashes: true,
        problems: ['invalid_credentials', 'password_rejected', 'too_many_attempts', 'overloaded'],
      },
      schema: {
        operationId: 'changePassword',
        tags,
        summary: 'Change the password',
        description: 'Every session ends; the answer has the tokens of a new one.',
        body: changePasswordBody(room.passwordMin),
        response: { 200: ref(TokenResponseSchema) },
      },
    },
    async (request) => {
      const { current_password: current, new_password: next } = request.body
      const passwords = { current, next }
      return tokenResponse(
        room,
        await changePassword(room, request.principal('account'), passwords, callerOf(request)),
      )
    },
  )
}
