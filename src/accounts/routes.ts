import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { clientOf } from '../http/client.ts'
import { accessPrincipalOf } from '../http/principal.ts'
import { NO_CONTENT, ref } from '../http/schemas.ts'
import type { Db } from '../platform/database.ts'
import type { DescribeMfaStep } from '../sign-in/mfa-step.ts'
import type { Factors } from '../two-factor/factors.ts'
import { userOf } from './account.ts'
import type { DeleteAccount } from './delete-account.ts'
import type { Register } from './register.ts'
import { RegisterResponse, registerBody, User } from './schemas.ts'

const tags = ['Account']

/** Open to everybody. */
export const registerRoutes: FastifyPluginAsyncTypebox<{
  register: Register
  describeMfaStep: DescribeMfaStep
  passwordMin: number
}> = async (app, { register, describeMfaStep, passwordMin }) => {
  app.post(
    '/register',
    {
      config: {
        limit: 'register',
        hashes: true,
        problems: ['registration_closed', 'username_taken', 'password_rejected', 'overloaded'],
      },
      schema: {
        operationId: 'register',
        tags,
        summary: 'Make an account',
        body: registerBody(passwordMin),
        response: { 201: RegisterResponse },
      },
    },
    async (request, reply) => {
      const { account, ...step } = await register(request.body, clientOf(request))
      reply.code(201)
      return { user: userOf(account, false), ...describeMfaStep({ ...step, enrolled: false }) }
    },
  )
}

/** For an access token. */
export const meRoutes: FastifyPluginAsyncTypebox<{ db: Db; factors: Factors }> = async (
  app,
  { db, factors },
) => {
  app.get(
    '/me',
    {
      schema: {
        operationId: 'getMe',
        tags,
        summary: 'The account of the access token',
        response: { 200: ref(User) },
      },
    },
    async (request) => {
      const { account } = accessPrincipalOf(request)
      return userOf(account, await factors.enrolled(db, account))
    },
  )
}

/** For a fresh access token. */
export const deleteMeRoutes: FastifyPluginAsyncTypebox<{ deleteAccount: DeleteAccount }> = async (
  app,
  { deleteAccount },
) => {
  app.delete(
    '/me',
    {
      schema: {
        operationId: 'deleteMe',
        tags,
        summary: 'Delete the account and everything that belongs to it',
        response: { 204: NO_CONTENT },
      },
    },
    async (request, reply) => {
      await deleteAccount(accessPrincipalOf(request), clientOf(request))
      return reply.code(204).send(null)
    },
  )
}
