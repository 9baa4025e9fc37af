import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Account } from '../../src/accounts/account.ts'
import { operatorCaller } from '../../src/cli/operator.ts'
import { QueueFullError } from '../../src/crypto/hash-queue.ts'
import { rateLimited, unavailable } from '../../src/errors.ts'
import { resetFactors } from '../../src/factors/reset.ts'
import { basic, newClient, serviceToken } from '../../test/helpers/people/clients.ts'
import { enrolByEmail, mailedToken, registerWithEmail } from '../../test/helpers/people/mail.ts'
import { addPasskey, enrolPasskey, newPasskey } from '../../test/helpers/people/passkeys.ts'
import { Person } from '../../test/helpers/people/person.ts'
import type { RightRequest } from '../../test/helpers/people/scenarios.ts'
import { accountTokenFor } from '../../test/helpers/people/sessions.ts'
import {
  enrol,
  login,
  type MailingService,
  PASSWORD,
  register,
  type ServiceOptions,
} from '../../test/helpers/service/service.ts'

/** A request that is refused. */
export interface Refusal extends Pick<ServiceOptions, 'environment' | 'instruments'> {
  /** @param name a username that is still free. */
  prepare(service: MailingService, name: string): Promise<WrongRequest> | WrongRequest
  /** Whether the service is of no use to others afterwards. */
  alone?: boolean
}

export interface WrongRequest extends RightRequest {
  /** In place of a body, as it is. */
  payload?: string
  headers?: Record<string, string>
}

const json = { 'content-type': 'application/json' }
const unknownId = '01a1fd70-f1c0-7c3a-9d8e-2b1f6a7c8d9e'
const credentials = (username: string) => ({ username, password: PASSWORD })
const PASSKEY = {
  id: 'vN3kYw',
  rawId: 'vN3kYw',
  type: 'public-key',
  response: {
    clientDataJSON: 'eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0',
    authenticatorData: 'SZYN5Y',
    signature: 'MEUCIQ',
  },
}

/** By a service on which every request fails so. */
function failing(error: () => Error): Refusal {
  const plugin = async (app: FastifyInstance) => {
    app.addHook('onRequest', async () => {
      throw error()
    })
  }
  return { prepare: () => ({}), alone: true, instruments: [{ plugin: fp(plugin) }] }
}
const limited = failing(() => rateLimited(24))
const broken = failing(() => new Error('a fault'))
const away = failing(() => unavailable('the database does not answer'))

const enrolled = async (service: MailingService, name: string) => ({
  token: (await enrol(service, name)).accessToken,
})
const withAccountToken = async (service: MailingService, name: string) => ({
  token: await accountTokenFor(service, (await enrol(service, name)).accessToken),
})
/** After the operator has taken the factors away. */
async function owingCode(service: MailingService, name: string) {
  const { id } = await registerWithEmail(service, name)
  await resetFactors(service.deps, (await service.deps.accounts.byId(id)) as Account, operatorCaller())
  return { token: await login(service, name) }
}

async function many(times: number, call: () => Promise<unknown>) {
  for (let i = 0; i < times; i += 1) await call()
}

const wrongCode = { code: '000000' }
const wrongRecoveryCode = 'AAAA-BBBB-CCCC-DDDD-EEEE-FFFF'

/**
 * By method, path and code. The first of a code is the example of every route that has none of its own here. The
 * recorder itself makes what `validation_failed` is answered to on all other routes.
 */
export const refusals: Record<string, Refusal> = {
  'DELETE /me validation_failed': {
    prepare: async (service, name) => ({
      ...(await withAccountToken(service, name)),
      body: { username: 'ada' },
    }),
  },
  'POST /register validation_failed': {
    prepare: () => ({
      body: { username: 'ada lovelace', email: 'ad' },
    }),
  },
  'POST /register username_taken': {
    async prepare(service, name) {
      await register(service, name)
      return { body: credentials(name) }
    },
  },
  'POST /register password_rejected': {
    prepare: () => ({ body: { username: 'ada', password: 'password' } }),
  },
  'POST /register registration_closed': {
    prepare: (_service, name) => ({ body: credentials(name) }),
    environment: { REGISTRATION: 'closed' },
  },
  'POST /login malformed_json': { prepare: () => ({ payload: '{"username": "ada",', headers: json }) },
  'POST /login payload_too_large': { prepare: () => ({ payload: ' '.repeat(20_000), headers: json }) },
  'POST /login unsupported_media_type': {
    prepare: () => ({ payload: 'ada', headers: { 'content-type': 'text/plain' } }),
  },
  'POST /login invalid_credentials': {
    async prepare(service, name) {
      await enrol(service, name)
      return { body: { ...credentials(name), password: 'wrong horse battery' } }
    },
  },
  'POST /2fa/verify invalid_code': {
    async prepare(service, name) {
      await enrol(service, name)
      return { token: await login(service, name), body: wrongCode }
    },
  },
  'POST /login invalid_code': {
    async prepare(service, name) {
      await enrol(service, name)
      return { body: { ...credentials(name), recovery_code: wrongRecoveryCode } }
    },
  },
  'POST /login rate_limited': limited,
  'POST /login too_many_attempts': {
    async prepare(service, name) {
      await enrol(service, name)
      const body = { ...credentials(name), password: 'wrong horse battery' }
      await many(10, () => service.post('/login', body))
      return { body }
    },
  },
  'POST /login internal_error': broken,
  'POST /login unavailable': away,
  'POST /login overloaded': failing(() => new QueueFullError(2)),

  'GET /readyz unavailable': {
    async prepare({ db }) {
      await db.destroy()
      return {}
    },
    alone: true,
  },
  'GET /me invalid_token': { prepare: () => ({}) },
  'POST /2fa/setup invalid_token': {
    async prepare(service, name) {
      const { mfaToken } = await register(service, name)
      service.clock.advance(301)
      return { token: mfaToken }
    },
  },
  'POST /2fa/setup insufficient_user_authentication': { prepare: enrolled },
  'POST /2fa/setup enrolment_code_required': { prepare: owingCode },
  'POST /2fa/setup invalid_code': {
    prepare: async (service, name) => ({
      ...(await owingCode(service, name)),
      body: { enrolment_code: wrongRecoveryCode },
    }),
  },
  'POST /2fa/setup not_found': {
    prepare: async (service, name) => ({
      ...(await withAccountToken(service, name)),
      body: { replaces: unknownId },
    }),
  },
  'POST /2fa/setup not_acceptable': {
    prepare: async (service, name) => ({
      token: (await register(service, name)).mfaToken,
      headers: { accept: 'image/jpeg' },
    }),
  },
  'POST /2fa/setup already_enrolled': {
    async prepare(service, name) {
      await enrol(service, name)
      return { token: await login(service, name) }
    },
  },
  'POST /2fa/setup factor_limit_reached': {
    async prepare(service, name) {
      const person = new Person(service, { username: name })
      await person.register()
      await person.setUp()
      await person.confirm()
      for (let count = 2; count <= 5; count += 1) {
        person.mfaToken = ''
        person.accountToken = await accountTokenFor(service, person.accessToken)
        await person.setUp()
        await person.confirm()
      }
      return { token: await accountTokenFor(service, person.accessToken) }
    },
  },
  'POST /2fa/verify invalid_token': {
    async prepare(service, name) {
      const { mfaToken } = await register(service, name)
      service.clock.advance(301)
      return { token: mfaToken, body: wrongCode }
    },
  },
  'POST /2fa/verify not_enrolled': {
    prepare: async (service, name) => ({ token: (await register(service, name)).mfaToken, body: wrongCode }),
  },
  'POST /2fa/verify email_unavailable': {
    prepare: async (service, name) => ({
      token: (await register(service, name)).mfaToken,
      body: { ...wrongCode, method: 'email' },
    }),
  },
  'POST /2fa/verify passkey_rejected': {
    async prepare(service, name) {
      await enrolPasskey(service, name)
      return { token: await login(service, name), body: { method: 'passkey', credential: PASSKEY } }
    },
  },
  'POST /2fa/verify too_many_attempts': {
    async prepare(service, name) {
      await enrol(service, name)
      const guess = async () => ({ token: await login(service, name), body: wrongCode })
      await many(10, async () => service.post('/2fa/verify', wrongCode, (await guess()).token))
      return guess()
    },
  },
  'POST /2fa/setup/confirm invalid_code': {
    async prepare(service, name) {
      const { token } = await withAccountToken(service, name)
      await service.post('/2fa/setup', undefined, token)
      return { token, body: wrongCode }
    },
  },
  'POST /2fa/passkeys factor_limit_reached': {
    async prepare(service, name) {
      const { body } = await enrolPasskey(service, name)
      const token = async () => await accountTokenFor(service, body.access_token)
      await many(18, async () => addPasskey(service, newPasskey(), await token()))
      const last = newPasskey()
      const asked = await service.post('/2fa/passkeys/options', undefined, await token())
      const credential = last.create(asked.body.public_key)
      await addPasskey(service, newPasskey(), await token())
      return { token: await token(), body: { credential } }
    },
  },
  'POST /2fa/passkeys passkey_rejected': {
    async prepare(service, name) {
      const { mfaToken: token } = await register(service, name)
      const { body } = await service.post('/2fa/passkeys/options', undefined, token)
      return {
        token,
        body: { credential: newPasskey().create(body.public_key, { origin: 'https://elsewhere.example' }) },
      }
    },
  },
  'POST /login/passkey unknown_credential': {
    async prepare(service) {
      const { body } = await service.post('/login/passkey/options')
      return { body: { credential: newPasskey({ userHandle: 'q83v' }).get(body.public_key) } }
    },
  },
  'POST /login/passkey passkey_rejected': {
    async prepare(service, name) {
      const { passkey } = await enrolPasskey(service, name)
      const { body } = await service.post('/login/passkey/options')
      return { body: { credential: passkey.get(body.public_key, { uv: false }) } }
    },
  },
  'POST /2fa/email email_delivery_failed': {
    async prepare(service, name) {
      await registerWithEmail(service, name)
      service.smtp.behave({ refuse: ['rcpt', 550] })
      return { token: await login(service, name) }
    },
    alone: true,
  },
  'POST /2fa/email rate_limited': {
    async prepare(service, name) {
      await registerWithEmail(service, name)
      const token = await login(service, name)
      await service.post('/2fa/email', undefined, token)
      return { token }
    },
  },
  'PUT /2fa/email email_unavailable': {
    prepare: async (service, name) => ({
      ...(await withAccountToken(service, name)),
      body: { enabled: true },
    }),
  },
  'DELETE /2fa two_factor_required': { prepare: withAccountToken },
  'POST /2fa/recovery-codes not_enrolled': {
    async prepare(service, name) {
      const person = new Person(service, { username: name })
      await person.register()
      return { token: await accountTokenFor(service, person.accessToken) }
    },
    environment: { MFA_POLICY: 'optional' },
  },
  'POST /2fa/recovery-codes rate_limited': {
    async prepare(service, name) {
      const { accessToken } = await enrol(service, name)
      await many(5, async () =>
        service.post('/2fa/recovery-codes', undefined, await accountTokenFor(service, accessToken)),
      )
      return { token: await accountTokenFor(service, accessToken) }
    },
  },
  'PATCH /2fa/factors/:id not_found': {
    prepare: async (service, name) => ({
      ...(await withAccountToken(service, name)),
      url: `/2fa/factors/${unknownId}`,
      body: { name: 'Work phone' },
    }),
  },
  'DELETE /2fa/factors/:id not_found': {
    prepare: async (service, name) => ({
      ...(await withAccountToken(service, name)),
      url: `/2fa/factors/${unknownId}`,
    }),
  },
  'DELETE /sessions/:id not_found': {
    prepare: async (service, name) => ({ ...(await enrolled(service, name)), url: `/sessions/${unknownId}` }),
  },
  'POST /2fa/step-up invalid_credentials': {
    prepare: async (service, name) => ({
      ...(await enrolled(service, name)),
      body: { ...wrongCode, password: 'wrong horse battery' },
    }),
  },
  'POST /2fa/step-up insufficient_user_authentication': {
    prepare: async (service, name) => ({
      ...(await enrolled(service, name)),
      body: { method: 'password', password: PASSWORD },
    }),
  },
  'POST /2fa/step-up too_many_attempts': {
    async prepare(service, name) {
      const { token } = await enrolled(service, name)
      await many(20, () => service.post('/2fa/step-up', wrongCode, token))
      return { token, body: wrongCode }
    },
  },
  'POST /password/change invalid_credentials': {
    prepare: async (service, name) => ({
      ...(await withAccountToken(service, name)),
      body: { current_password: 'wrong horse battery', new_password: 'staple in a haystack' },
    }),
  },
  'POST /password/change password_rejected': {
    prepare: async (service, name) => ({
      ...(await withAccountToken(service, name)),
      body: { current_password: PASSWORD, new_password: 'horse' },
    }),
  },
  'POST /password/forgot email_unavailable': {
    prepare: () => ({ body: { username: 'ada' } }),
    environment: { SMTP_URL: '', MAIL_FROM: '', EMAIL_CODES: 'off' },
  },
  'POST /password/reset invalid_token': {
    prepare: () => ({
      body: { token: 'q1mKf3v0Zp7wY2s9TnXc5bLd8hJr4gAe6uQoViMzWxE', new_password: 'staple in a haystack' },
    }),
  },
  'POST /password/reset invalid_code': {
    async prepare(service, name) {
      await enrolByEmail(service, name)
      const token = await mailedToken(service, name)
      return { body: { token, new_password: 'staple in a haystack', recovery_code: wrongRecoveryCode } }
    },
  },
  'POST /password/reset recovery_code_required': {
    async prepare(service, name) {
      await enrolByEmail(service, name)
      return { body: { token: await mailedToken(service, name), new_password: 'staple in a haystack' } }
    },
  },
  'POST /token/refresh invalid_refresh_token': {
    prepare: () => ({ body: { refresh_token: 'q1mKf3v0Zp7wY2s9TnXc5bLd8hJr4gAe6uQoViMzWxE' } }),
  },
  'POST /token/refresh rate_limited': {
    async prepare(service, name) {
      const person = new Person(service, { username: name })
      await person.register()
      await person.setUp()
      await person.confirm()
      await many(10, () => person.refresh())
      return { body: { refresh_token: person.refreshToken } }
    },
  },
  'POST /token/introspect insufficient_scope': {
    async prepare(service, name) {
      const { token } = await enrolled(service, name)
      const client = await newClient(service, { scopes: [] })
      return { token: await serviceToken(service, client), body: { token } }
    },
  },
  'POST /token/introspect bad_request': {
    prepare: async (service, name) => ({
      ...(await enrolled(service, name)),
      payload: 'token=a&token=b',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    }),
  },
}

const wrongClient = { authorization: basic({ id: unknownId, secret: 'wrong' }) }
const right = async (service: MailingService, scopes: string[] = ['introspect']) => ({
  authorization: basic(await newClient(service, { scopes })),
})

/** What is answered as OAuth has it, by method, path and status. */
export const oauthRefusals: Record<string, Refusal[]> = {
  'POST /token': [
    { prepare: () => ({ form: { grant_type: 'refresh_token' } }) },
    {
      prepare: () => ({
        form: { grant_type: 'refresh_token', refresh_token: 'q1mKf3v0Zp7wY2s9TnXc5bLd8hJr4gAe6uQoViMzWxE' },
      }),
    },
    { prepare: async (service) => ({ form: { grant_type: 'refresh_token' }, ...(await right(service)) }) },
    { prepare: () => ({ form: { grant_type: 'password' } }) },
    {
      prepare: async (service) => ({
        form: { grant_type: 'client_credentials', scope: 'orders' },
        ...(await right(service)),
      }),
    },
    {
      prepare: async (service) => ({
        form: { grant_type: 'client_credentials', resource: 'https://elsewhere.example' },
        ...(await right(service)),
      }),
    },
    { prepare: () => ({ form: { grant_type: 'client_credentials' }, ...wrongClient }) },
    limited,
    broken,
    away,
  ],
  'POST /token/revoke': [{ prepare: () => ({ body: {} }) }, limited, broken, away],
  'POST /token/introspect': [
    {
      prepare: async (service) => ({ body: { token: 'x', client_id: unknownId }, ...(await right(service)) }),
    },
    { prepare: () => ({ body: { token: 'x' }, ...wrongClient }) },
  ],
}
