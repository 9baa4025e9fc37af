import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { clientOf } from '../http/client.ts'
import { accessPrincipalOf } from '../http/principal.ts'
import { ACCEPTED, NO_CONTENT } from '../http/schemas.ts'
import type { ChangePassword } from './change-password.ts'
import type { ForgetPassword } from './forgotten-password.ts'
import type { ResetPassword } from './reset-password.ts'
import { changePasswordBody, ForgotPasswordBody, resetPasswordBody } from './schemas.ts'

const tags = ['Account']

/** Open to everybody: for who cannot sign in. */
export const forgottenPasswordRoutes: FastifyPluginAsyncTypebox<{
  forgetPassword: ForgetPassword
  resetPassword: ResetPassword
  passwordMin: number
}> = async (app, { forgetPassword, resetPassword, passwordMin }) => {
  app.post(
    '/password/forgot',
    {
      config: { limit: 'login' },
      schema: {
        operationId: 'forgetPassword',
        tags,
        summary: 'Ask for a mail that resets the password',
        description:
          'The answer is the same for every username. The mail goes to the address that the account has proven, and to nobody else.',
        body: ForgotPasswordBody,
        response: { 202: ACCEPTED },
      },
    },
    async (request, reply) => {
      await forgetPassword(request.body.username, clientOf(request))
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
        summary: 'Set a new password with the token from the mail',
        description:
          'Ends every session. The second factor stays as it is; where it is a code to the same mailbox, a recovery code is needed here.',
        body: resetPasswordBody(passwordMin),
        response: { 204: NO_CONTENT },
      },
    },
    async (request, reply) => {
      const { token, new_password: newPassword, recovery_code: recoveryCode } = request.body
      const reset = { token, newPassword, ...(recoveryCode !== undefined && { recoveryCode }) }
      await resetPassword(reset, clientOf(request))
      return reply.code(204).send(null)
    },
  )
}

/** For a fresh access token. */
export const changePasswordRoutes: FastifyPluginAsyncTypebox<{
  changePassword: ChangePassword
  passwordMin: number
}> = async (app, { changePassword, passwordMin }) => {
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
        summary: 'Set a new password',
        description: 'Every other session ends.',
        body: changePasswordBody(passwordMin),
        response: { 204: NO_CONTENT },
      },
    },
    async (request, reply) => {
      const { current_password: current, new_password: next } = request.body
      await changePassword(accessPrincipalOf(request), { current, next }, clientOf(request))
      return reply.code(204).send(null)
    },
  )
}
