import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { clientOf } from '../http/client.ts'
import { accessPrincipalOf } from '../http/principal.ts'
import { ACCEPTED, ref } from '../http/schemas.ts'
import { userOf } from './account.ts'
import type { ChangeEmail } from './change-email.ts'
import { EmailBody, EmailCodeBody, User } from './schemas.ts'

const tags = ['Account']

/** For a fresh access token. */
export const changeEmailRoutes: FastifyPluginAsyncTypebox<{ changeEmail: ChangeEmail }> = async (
  app,
  { changeEmail },
) => {
  app.put(
    '/me/email',
    {
      config: { limit: 'codes', problems: ['email_unavailable', 'email_delivery_failed'] },
      schema: {
        operationId: 'setEmail',
        tags,
        summary: 'Set or change the address, or prove the present one',
        description: 'A code goes to the new address, which counts when the code has come back.',
        body: EmailBody,
        response: { 202: ACCEPTED },
      },
    },
    async (request, reply) => {
      await changeEmail.begin(accessPrincipalOf(request), request.body.email, clientOf(request))
      return reply.code(202).send(undefined)
    },
  )
}

/** For an access token. */
export const proveEmailRoutes: FastifyPluginAsyncTypebox<{ changeEmail: ChangeEmail }> = async (
  app,
  { changeEmail },
) => {
  app.post(
    '/me/email/verify',
    {
      config: { limit: 'codes', problems: ['invalid_code', 'too_many_attempts'] },
      schema: {
        operationId: 'verifyEmail',
        tags,
        summary: 'Prove the new address with the code that was sent to it',
        body: EmailCodeBody,
        response: { 200: ref(User) },
      },
    },
    async (request) => {
      const signedIn = accessPrincipalOf(request)
      const { account, enrolled } = await changeEmail.prove(signedIn, request.body.code, clientOf(request))
      return userOf(account, enrolled)
    },
  )
}
