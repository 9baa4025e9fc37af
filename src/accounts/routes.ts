import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { validationFailed } from '../errors.ts'
import { callerOf } from '../http/caller.ts'
import { ACCEPTED, NO_CONTENT, ref } from '../http/schemas.ts'
import { noResetByMail } from '../mail/problems.ts'
import { loginResponse } from '../sign-in/login-response.ts'
import { texts } from '../texts/texts.ts'
import { TokenResponseSchema } from '../tokens/schemas.ts'
import { tokenResponse } from '../tokens/token-response.ts'
import { maskAddress, readEmailAddress } from '../values/email-address.ts'
import { beginEmailChange, proveEmail, proveEmailByLink } from './change-email.ts'
import { changePassword } from './change-password.ts'
import { deleteAccount } from './delete-account.ts'
import { forgetPassword } from './forgotten-password.ts'
import { register } from './register.ts'
import { resetPassword } from './reset-password.ts'
import type { AccountsRoom } from './room.ts'
import * as schemas from './schemas.ts'
import { userOf } from './user.ts'

type Routes = FastifyPluginAsyncTypebox<{ room: AccountsRoom }>

const tags = ['Account']

/** @throws {AppError} validation_failed */
function emailOf(text: string): string {
  const read = readEmailAddress(text)
  if ('fault' in read)
    throw validationFailed([{ pointer: '/email', code: 'pattern', detail: texts.emailFaults[read.fault] }])
  return read.address
}

/** Without a token. */
export const registerRoutes: Routes = async (app, { room }) => {
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
        description:
          'The answer is the same as that of `/login`. Use its mfa token to set up the second factor next.',
        body: schemas.registerBody(room),
        response: { 201: schemas.RegisterResponse },
      },
    },
    async (request, reply) => {
      const { email, ...named } = request.body
      const registration = { ...named, ...(email !== undefined && { email: emailOf(email) }) }
      const { account, outcome } = await register(room, registration, callerOf(request))
      reply.code(201)
      return { user: userOf(account, false), ...loginResponse(room, outcome) }
    },
  )
}

/** For an access token. */
export const meRoutes: Routes = async (app, { room }) => {
  app.get(
    '/me',
    {
      schema: {
        operationId: 'getMe',
        tags,
        summary: 'Get the account',
        description:
          'Shows the current state. The claims of an access token show the state at the time when it was issued.',
        response: { 200: ref(schemas.UserSchema) },
      },
    },
    async (request) => {
      const { account } = request.principal('access')
      return userOf(account, (await room.factors.of(room.db, account)).enrolled)
    },
  )
}

/** For an account token. */
export const deleteMeRoutes: Routes = async (app, { room }) => {
  app.delete(
    '/me',
    {
      schema: {
        operationId: 'deleteMe',
        tags,
        summary: 'Delete the account and everything that belongs to it',
        description: 'Every session ends. The account cannot be restored.',
        response: { 204: NO_CONTENT },
      },
    },
    async (request, reply) => {
      await deleteAccount(room, request.principal('account'), callerOf(request))
      return reply.code(204).send(null)
    },
  )
}

/** Without a token, for people who cannot sign in. */
export const forgottenPasswordRoutes: Routes = async (app, { room }) => {
  app.post(
    '/password/forgot',
    {
      config: { limit: 'login', problems: ['email_unavailable'] },
      schema: {
        operationId: 'requestPasswordReset',
        tags,
        summary: 'Request a password reset by email',
        description:
          'The answer is the same for every username and address. Emails are sent only to verified addresses.',
        body: schemas.ForgotPasswordBody,
        response: { 202: ACCEPTED },
      },
    },
    async (request, reply) => {
      if (!room.answerForgotten) throw noResetByMail()
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
          'Ends every session. The second factor does not change. If it is a code sent to the same mailbox, a recovery code is required.',
        body: schemas.resetPasswordBody(room.passwordMin),
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
export const changePasswordRoutes: Routes = async (app, { room }) => {
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
        description: 'Every session ends. The answer has the tokens of a new session.',
        body: schemas.changePasswordBody(room.passwordMin),
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

/** For an account token. */
export const changeEmailRoutes: Routes = async (app, { room }) => {
  app.put(
    '/me/email',
    {
      config: { limit: 'codes', problems: ['email_unavailable', 'email_delivery_failed'] },
      schema: {
        operationId: 'setEmail',
        tags,
        summary: 'Set or change the email address, or verify the current one',
        description: 'Sends a code to the address. The change takes effect when the code is verified.',
        body: schemas.EmailBody,
        response: { 202: ACCEPTED },
      },
    },
    async (request, reply) => {
      await beginEmailChange(
        room,
        request.principal('account'),
        emailOf(request.body.email),
        callerOf(request),
      )
      return reply.code(202).send(undefined)
    },
  )
}

/** For an access token, or the token of a link in the body. */
export const proveEmailRoutes: Routes = async (app, { room }) => {
  app.post(
    '/me/email/verify',
    {
      config: { limit: 'codes', problems: ['invalid_code', 'too_many_attempts'] },
      validatorCompiler: schemas.proveEmailValidator,
      schema: {
        operationId: 'verifyEmail',
        tags,
        summary: 'Verify the new email address with the code or the link that was sent to it',
        description:
          'The code from the email requires the access token of the account. The token from the link requires none, and the answer then contains only the masked address. All other sessions end. The session that asked for the link stays.',
        body: schemas.ProveEmailBody,
        response: { 200: Type.Union([ref(schemas.UserSchema), schemas.ProvenByLink]) },
      },
    },
    async (request) => {
      if ('token' in request.body)
        return { email: maskAddress(await proveEmailByLink(room, request.body.token, callerOf(request))) }
      const signedIn = request.principal('access')
      const { account, enrolled } = await proveEmail(room, signedIn, request.body.code, callerOf(request))
      return userOf(account, enrolled)
    },
  )
}
