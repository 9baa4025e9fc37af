import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { PASSWORD_MAX } from '../accounts/password-rules.ts'
import { factors } from '../factors/registry.ts'
import { CLOSED, Seconds } from '../http/schemas.ts'
import type { Service } from '../service.ts'
import { ACCOUNT_TOKEN_TTL } from '../tokens/account-token.ts'
import { canHavePasskeys } from '../values/relying-party.ts'
import { USERNAME_MAX, USERNAME_MIN } from '../values/username.ts'
import { VERSION } from '../version.ts'

const MAX_AGE_SECONDS = 300

/** What an app must know before it shows a form, so that it need not learn it from refusals. */
export const configRoute: FastifyPluginAsyncTypebox<{ room: Service }> = async (app, { room }) => {
  const { config, passwordMin } = room
  const mails = room.sendLetter !== null
  const codes = mails && config.emailCodes
  const passkeys = canHavePasskeys(room.relyingParty)
  const answer = {
    name: config.appName,
    version: VERSION,
    registration: config.registration,
    mfa_policy: config.mfaPolicy,
    password: { min_length: passwordMin, max_length: PASSWORD_MAX },
    username: { min_length: USERNAME_MIN, max_length: USERNAME_MAX, at_sign: config.usernames === 'any' },
    methods: factors
      .filter(({ isMailbox, phishingResistant }) => (codes || !isMailbox) && (passkeys || !phishingResistant))
      .map(({ method }) => method),
    mail: { codes, reset: mails },
    token_lifetimes: {
      mfa_token: config.mfaTokenTtl,
      access_token: config.accessTokenTtl,
      account_token: ACCOUNT_TOKEN_TTL,
      refresh_token: config.refreshTokenTtl,
    },
  }
  app.get(
    '/config',
    {
      schema: {
        operationId: 'getConfig',
        tags: ['Service'],
        summary: 'Get the rules and methods of this service, for the forms of an app',
        description:
          'With it, a form can show in advance how long a password has to be, and whether registration is open.',
        response: { 200: ConfigSchema },
      },
    },
    async (_request, reply) => {
      reply.header('cache-control', `public, max-age=${MAX_AGE_SECONDS}`)
      return answer
    },
  )
}

const Length = Type.Integer({ minimum: 1 })

const ConfigSchema = Type.Object(
  {
    name: Type.String(),
    version: Type.String(),
    registration: Type.Enum(['open', 'closed']),
    mfa_policy: Type.Enum(['required', 'optional']),
    password: Type.Object({ min_length: Length, max_length: Length }, CLOSED),
    username: Type.Object(
      {
        min_length: Length,
        max_length: Length,
        at_sign: Type.Boolean({ description: 'Whether a new username can contain an `@`' }),
      },
      CLOSED,
    ),
    methods: Type.Array(Type.Enum(factors.map(({ method }) => method)), {
      description: 'The second factors that this service accepts, including recovery codes',
    }),
    mail: Type.Object(
      {
        codes: Type.Boolean({ description: 'Whether mailed codes count as a second factor' }),
        reset: Type.Boolean({ description: 'Whether a forgotten password can be reset by mail' }),
      },
      CLOSED,
    ),
    token_lifetimes: Type.Object(
      {
        mfa_token: Seconds('Lifetime in seconds'),
        access_token: Seconds('Lifetime in seconds'),
        account_token: Seconds('Lifetime in seconds'),
        refresh_token: Seconds('Seconds from its last use'),
      },
      CLOSED,
    ),
  },
  { ...CLOSED, description: 'Rules and methods of the service' },
)
