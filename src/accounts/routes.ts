import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { callerOf } from '../http/caller.ts'
import { NO_CONTENT, ref } from '../http/schemas.ts'
import { loginResponse } from '../sign-in/login-response.ts'
import { deleteAccount } from './delete-account.ts'
import { register } from './register.ts'
import type { AccountsRoom } from './room.ts'
import { RegisterResponse, registerBody, UserSchema } from './schemas.ts'
import { userOf } from './user.ts'

const tags = ['Account']

/** Without a token. */
export const registerRoutes: FastifyPluginAsyncTypebox<{ room: AccountsRoom }> = async (app, { room }) => {
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
        summary: 'Create an account',
        body: registerBody(room),
        response: { 201: RegisterResponse },
      },
    },
    async (request, reply) => {
      const { account, outcome } = await register(room, request.body, callerOf(request))
      reply.code(201)
      return { user: userOf(account, false), ...loginResponse(room, outcome) }
    },
  )
}

/** For an access token. */
export const meRoutes: FastifyPluginAsyncTypebox<{ room: AccountsRoom }> = async (app, { room }) => {
  app.get(
    '/me',
    {
      schema: {
        operationId: 'getMe',
        tags,
        summary: 'Get the account',
        response: { 200: ref(UserSchema) },
      },
    },
    async (request) => {
      const { account } = request.principal('access')
      return userOf(account, (await room.factors.of(room.db, account)).enrolled)
    },
  )
}

/** For an account token. */
export const deleteMeRoutes: FastifyPluginAsyncTypebox<{ room: AccountsRoom }> = async (app, { room }) => {
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
      await deleteAccount(room, request.principal('account'), callerOf(request))
      return reply.code(204).send(null)
    },
  )
}
