import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { callerOf } from '../http/caller.ts'
import { ACCEPTED, ref } from '../http/schemas.ts'
import { beginEmailChange, proveEmail } from './change-email.ts'
import type { AccountsRoom } from './room.ts'
import { EmailBody, EmailCodeBody, UserSchema } from './schemas.ts'
import { userOf } from './user.ts'

const tags = ['Account']

/** For an account token. */
export const changeEmailRoutes: FastifyPluginAsyncTypebox<{ room: AccountsRoom }> = async (app, { room }) => {
  app.put(
    '/me/email',
    {
      config: { limit: 'codes', problems: ['email_unavailable', 'email_delivery_failed'] },
      schema: {
        operationId: 'setEmail',
        tags,
        summary: 'Set or change the email address, or verify the current one',
        description: 'Sends a code to the address. The change takes effect when the code is verified.',
        body: EmailBody,
        response: { 202: ACCEPTED },
      },
    },
    async (request, reply) => {
      await beginEmailChange(room, request.principal('account'), request.body.email, callerOf(request))
      return reply.code(202).send(undefined)
    },
  )
}

/** For an access token. */
export const proveEmailRoutes: FastifyPluginAsyncTypebox<{ room: AccountsRoom }> = async (app, { room }) => {
  app.post(
    '/me/email/verify',
    {
      config: { limit: 'codes', problems: ['invalid_code', 'too_many_attempts'] },
      schema: {
        operationId: 'verifyEmail',
        tags,
        summary: 'Verify the new email address with the code that was sent to it',
        body: EmailCodeBody,
        response: { 200: ref(UserSchema) },
      },
    },
    async (request) => {
      const signedIn = request.principal('access')
      const { account, enrolled } = await proveEmail(room, signedIn, request.body.code, callerOf(request))
      return userOf(account, enrolled)
    },
  )
}
