import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { callerOf } from '../../http/caller.ts'
import { ref } from '../../http/schemas.ts'
import { signInResponse } from '../../tokens/token-response.ts'
import { canHavePasskeys } from '../../values/relying-party.ts'
import { enrolInSession } from '../enrol-in-session.ts'
import type { FactorsRoom } from '../room.ts'
import { factorResponse, SignInSchema, verifiedResponse } from '../schemas.ts'
import { verify } from '../verify.ts'
import { addPasskey } from './add.ts'
import { type Asked, askAnybody, askToCreate, askToVerify } from './options.ts'
import { FactorAddedSchema, OptionsBody, PasskeyBody, PasskeyOptionsSchema, SignInBody } from './schemas.ts'
import { signInWithPasskey } from './sign-in.ts'

type Plugin = FastifyPluginAsyncTypebox<{ room: FactorsRoom }>

const tags = ['Passkeys']

const optionsResponse = ({ options, expiresIn }: Asked<object>) => ({
  public_key: options,
  expires_in: expiresIn,
})

/** Without a token: a passkey alone. */
export const signInRoutes: Plugin = async (app, { room }) => {
  if (!canHavePasskeys(room.relyingParty)) return
  app.post(
    '/login/passkey/options',
    {
      config: { limit: 'login' },
      schema: {
        operationId: 'passkeySignInOptions',
        tags,
        summary: 'Get the options for a sign-in with a passkey alone',
        description: 'Pass them to `navigator.credentials.get()`, and send its result to `/login/passkey`.',
        response: { 200: ref(PasskeyOptionsSchema) },
      },
    },
    async () => optionsResponse(askAnybody(room)),
  )
  app.post(
    '/login/passkey',
    {
      config: { limit: 'login', problems: ['unknown_credential', 'passkey_rejected'] },
      schema: {
        operationId: 'signInWithPasskey',
        tags,
        summary: 'Sign in with a passkey alone',
        description: 'The authenticator must have verified its owner by fingerprint, face or PIN.',
        body: SignInBody,
        response: { 200: ref(SignInSchema) },
      },
    },
    async (request) =>
      signInResponse(
        room,
        await signInWithPasskey(room, request.body.credential as never, callerOf(request)),
      ),
  )
}

/** For an mfa token of an account without a factor, or an account token. */
export const createRoutes: Plugin = async (app, { room }) => {
  if (!canHavePasskeys(room.relyingParty)) return
  app.post(
    '/2fa/passkeys/options',
    {
      config: {
        limit: 'codes',
        problems: ['already_enrolled', 'enrolment_code_required', 'invalid_code', 'factor_limit_reached'],
      },
      schema: {
        operationId: 'passkeyOptions',
        tags,
        summary: 'Get the options for making a passkey',
        description: 'Pass them to `navigator.credentials.create()`, and send its result to `/2fa/passkeys`.',
        body: OptionsBody,
        response: { 200: ref(PasskeyOptionsSchema) },
      },
    },
    async (request) => {
      const asking = request.principal('mfa', 'account')
      return optionsResponse(await askToCreate(room, asking, request.body.enrolment_code, callerOf(request)))
    },
  )
  app.post(
    '/2fa/passkeys',
    {
      config: {
        limit: 'codes',
        problems: [
          ...(['already_enrolled', 'enrolment_code_required'] as const),
          ...(['passkey_rejected', 'factor_limit_reached'] as const),
        ],
      },
      schema: {
        operationId: 'addPasskey',
        tags,
        summary: 'Add the passkey to the account',
        description:
          'With an mfa token, the passkey becomes the first factor, and the answer is that of a sign-in. With an account token, it is added to the other factors. If there was no factor before, the answer has the tokens of a new session, and all other sessions end.',
        body: PasskeyBody,
        response: { 200: ref(SignInSchema), 201: ref(FactorAddedSchema) },
      },
    },
    async (request, reply) => {
      const factor = room.factors.named('passkey')
      const [principal, caller] = [request.principal('mfa', 'account'), callerOf(request)]
      const { credential, ...named } = request.body
      const answer = { ...named, registration: credential as never, userAgent: caller.userAgent }
      if (principal.kind === 'mfa')
        return verifiedResponse(room, await verify(room, principal, { factor, answer }, caller))
      const { account } = principal
      if (!(await room.factors.of(room.db, account)).enrolled) {
        const { grant, ...codes } = await enrolInSession(room, principal, { factor, answer }, caller)
        return verifiedResponse(room, { signIn: { ...grant, mayChangeAccount: false }, ...codes })
      }
      const added = await addPasskey(room, principal, answer, caller)
      return reply.code(201).send({ factor: factorResponse(added) })
    },
  )
}

/** For an mfa token or an access token of an account with a passkey. */
export const challengeRoutes: Plugin = async (app, { room }) => {
  if (!canHavePasskeys(room.relyingParty)) return
  app.post(
    '/2fa/passkeys/challenge',
    {
      config: { limit: 'codes', problems: ['not_enrolled'] },
      schema: {
        operationId: 'passkeyChallenge',
        tags,
        summary: 'Get the options for a passkey at `/2fa/verify` or `/2fa/step-up`',
        description:
          'Pass them to `navigator.credentials.get()`, and send its result as `credential` with the method `passkey`.',
        response: { 200: ref(PasskeyOptionsSchema) },
      },
    },
    async (request) => optionsResponse(await askToVerify(room, request.principal('mfa', 'access'))),
  )
}
