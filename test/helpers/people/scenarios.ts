import { type Answer, enrol, login, nextCode, PASSWORD, register } from '../service/service.ts'
import { basic, newClient, serviceToken } from './clients.ts'
import { inPlaceOfTheOld } from './factors.ts'
import {
  codeIn,
  enrolByEmail,
  enrolWithAddress,
  linkIn,
  type MailingService,
  mailedCode,
  mailedToken,
  registerWithEmail,
  setEmail,
} from './mail.ts'
import { enrolPasskey, newPasskey, signed } from './passkeys.ts'
import { accountTokenFor } from './sessions.ts'
import { totp } from './totp.ts'

/** A request that is right, for a route. */
export interface RightRequest {
  url?: string
  token?: string
  body?: unknown
  /** In place of a body. */
  form?: Record<string, string>
  /** In place of a token. */
  authorization?: string
}

/** How a route is used: what leads up to a request of it, and what the request gives. */
export interface Scenario {
  /** @param name a username that nobody has yet. */
  prepare(service: MailingService, name: string): Promise<RightRequest>
  environment?: Record<string, string>
  status: number
  /** What the very same request gets once it has succeeded; its status again where that does no harm. */
  again?: string
}

const NEW_PASSWORD = 'staple in a haystack'
const REPLACED = 'a long enough passphrase'

const access = async (service: MailingService, name: string) => ({
  token: (await enrol(service, name)).accessToken,
})

const account = async (service: MailingService, name: string) => ({
  token: await accountTokenFor(service, (await enrol(service, name)).accessToken),
})

async function pendingCode(service: MailingService, token: string): Promise<string> {
  const { body } = await service.post('/2fa/setup', undefined, token)
  return totp(body.secret, service.clock.now())
}

async function newCredential(service: MailingService, token: string): Promise<object> {
  const { body } = await service.post('/2fa/passkeys/options', undefined, token)
  return { credential: newPasskey().create(body.public_key) }
}

/** The authenticator of a new account, and a token that changes it. */
async function ownFactor(service: MailingService, name: string): Promise<RightRequest> {
  const { accessToken } = await enrol(service, name)
  const { body } = await service.get('/2fa', accessToken)
  return { url: `/2fa/factors/${body.factors[0].id}`, token: await accountTokenFor(service, accessToken) }
}

/** Every route that asks the database anything, by method and pattern. */
export const SCENARIOS: Record<string, Scenario> = {
  'POST /register': {
    prepare: async (_service, name) => ({
      body: { username: name, password: PASSWORD, email: `${name}@example.com` },
    }),
    status: 201,
    again: '409 username_taken',
  },
  'POST /login': {
    async prepare(service, name) {
      await enrol(service, name)
      return { body: { username: name, password: PASSWORD } }
    },
    status: 200,
  },
  'POST /2fa/setup': {
    prepare: async (service, name) => ({ token: (await register(service, name)).mfaToken }),
    status: 200,
  },
  'POST /2fa/verify': {
    async prepare(service, name) {
      const account = await enrol(service, name)
      return { token: await login(service, name), body: { code: nextCode(service, account) } }
    },
    status: 200,
    again: '401 invalid_token',
  },
  'POST /2fa/email': {
    async prepare(service, name) {
      await registerWithEmail(service, name)
      return { token: await login(service, name) }
    },
    status: 202,
    again: '429 rate_limited',
  },
  'PUT /2fa/email': {
    async prepare(service, name) {
      const { accessToken } = await enrolWithAddress(service, name)
      return { token: await accountTokenFor(service, accessToken), body: { enabled: true } }
    },
    status: 204,
    again: '401 invalid_token',
  },
  'POST /2fa/step-up': {
    async prepare(service, name) {
      const account = await enrol(service, name)
      return { token: account.accessToken, body: { code: nextCode(service, account) } }
    },
    status: 200,
    again: '422 invalid_code',
  },
  'POST /2fa/setup/confirm': {
    async prepare(service, name) {
      const { token } = await account(service, name)
      return { token, body: { code: await pendingCode(service, token) } }
    },
    status: 200,
    again: '401 invalid_token',
  },
  'POST /2fa/recovery-codes': { prepare: account, status: 200, again: '401 invalid_token' },
  'POST /2fa/passkeys/options': {
    prepare: async (service, name) => ({ token: (await register(service, name)).mfaToken }),
    status: 200,
  },
  'POST /2fa/passkeys': {
    async prepare(service, name) {
      const { mfaToken: token } = await register(service, name)
      return { token, body: await newCredential(service, token) }
    },
    status: 200,
    again: '401 invalid_token',
  },
  'POST /2fa/passkeys/challenge': {
    prepare: async (service, name) => ({ token: (await enrolPasskey(service, name)).body.access_token }),
    status: 200,
  },
  'POST /login/passkey': {
    async prepare(service, name) {
      const { passkey } = await enrolPasskey(service, name)
      const { body } = await service.post('/login/passkey/options')
      return { body: { credential: passkey.get(body.public_key) } }
    },
    status: 200,
    again: '422 passkey_rejected',
  },
  'PATCH /2fa/factors/:id': {
    prepare: async (service, name) => ({ ...(await ownFactor(service, name)), body: { name: 'Work phone' } }),
    status: 200,
  },
  'DELETE /2fa/factors/:id': {
    prepare: ownFactor,
    environment: { MFA_POLICY: 'optional' },
    status: 200,
    again: '401 invalid_token',
  },
  'GET /2fa': { prepare: access, status: 200 },
  'DELETE /2fa': {
    prepare: account,
    environment: { MFA_POLICY: 'optional' },
    status: 200,
    again: '401 invalid_token',
  },
  'GET /me': { prepare: access, status: 200 },
  'GET /me/events': { prepare: access, status: 200 },
  'PUT /me/email': {
    prepare: async (service, name) => ({
      ...(await account(service, name)),
      body: { email: `${name}@example.com` },
    }),
    status: 202,
    again: '401 invalid_token',
  },
  'POST /me/email/verify': {
    async prepare(service, name) {
      const { token } = await access(service, name)
      await setEmail(service, token, `${name}@example.com`)
      return { token, body: { code: codeIn(service.smtp.mails.at(-1)) } }
    },
    status: 200,
    again: '422 invalid_code',
  },
  'DELETE /me': { prepare: account, status: 204, again: '401 invalid_token' },
  'POST /password/change': {
    prepare: async (service, name) => ({
      ...(await account(service, name)),
      body: { current_password: PASSWORD, new_password: REPLACED },
    }),
    status: 200,
    again: '401 invalid_token',
  },
  'POST /password/forgot': { prepare: async (_, username) => ({ body: { username } }), status: 202 },
  'POST /password/reset': {
    async prepare(service, name) {
      await enrolWithAddress(service, name)
      return { body: { token: await mailedToken(service, name), new_password: NEW_PASSWORD } }
    },
    status: 204,
    again: '401 invalid_token',
  },
  'POST /token/refresh': {
    prepare: async (service, name) => ({
      body: { refresh_token: (await enrol(service, name)).refreshToken },
    }),
    status: 200,
  },
  'POST /token': {
    async prepare(service, name) {
      const { refreshToken } = await enrol(service, name)
      return { form: { grant_type: 'refresh_token', refresh_token: refreshToken } }
    },
    status: 200,
  },
  'POST /token/introspect': {
    async prepare(service, name) {
      const { token } = await access(service, name)
      return { token, body: { token } }
    },
    status: 200,
  },
  'POST /token/revoke': {
    prepare: async (service, name) => ({ body: { token: (await enrol(service, name)).refreshToken } }),
    status: 200,
  },
  'POST /logout': { prepare: access, status: 204, again: '401 invalid_token' },
  'GET /sessions': { prepare: access, status: 200 },
  'DELETE /sessions': { prepare: access, status: 204 },
  'DELETE /sessions/:id': {
    async prepare(service, name) {
      const { token } = await access(service, name)
      const { body } = await service.get('/sessions', token)
      return { token, url: `/sessions/${body.sessions[0].id}` }
    },
    status: 204,
    again: '401 invalid_token',
  },
}

/** More ways through the routes above, for what differs by the token and the factor. */
export const MORE_SCENARIOS: Record<string, Scenario> = {
  'POST /login by address': {
    async prepare(service, name) {
      const { email } = await enrolWithAddress(service, name)
      return { body: { username: email, password: PASSWORD } }
    },
    status: 200,
  },
  'POST /me/email/verify by a link': {
    environment: { VERIFY_URL: 'https://app.example.com/#{token}' },
    async prepare(service, name) {
      const { accessToken } = await enrol(service, name)
      await setEmail(service, accessToken, `${name}@example.com`)
      return { body: { token: new URL(linkIn(service.smtp.mails.at(-1))).hash.slice(1) } }
    },
    status: 200,
    again: '401 invalid_token',
  },
  'POST /password/forgot by address': {
    async prepare(service, name) {
      const { email } = await enrolWithAddress(service, name)
      return { body: { username: email } }
    },
    status: 202,
  },
  'POST /token by a service client': {
    prepare: async (service, name) => ({
      form: { grant_type: 'client_credentials' },
      authorization: basic(await newClient(service, { name })),
    }),
    status: 200,
  },
  'POST /token/introspect by a service client': {
    async prepare(service, name) {
      const { token } = await access(service, name)
      return { body: { token }, authorization: basic(await newClient(service, { name })) }
    },
    status: 200,
  },
  'POST /token/introspect by a service token': {
    async prepare(service, name) {
      const { token } = await access(service, name)
      return { body: { token }, token: await serviceToken(service, await newClient(service, { name })) }
    },
    status: 200,
  },
  'POST /logout with a refresh token': {
    prepare: async (service, name) => ({
      body: { refresh_token: (await enrol(service, name)).refreshToken },
    }),
    status: 204,
    again: '401 invalid_refresh_token',
  },
  'POST /2fa/setup by an account token': { prepare: account, status: 200 },
  'POST /2fa/setup that replaces': {
    async prepare(service, name) {
      const { accessToken } = await enrol(service, name)
      const body = await inPlaceOfTheOld(service, accessToken)
      return { token: await accountTokenFor(service, accessToken), body }
    },
    status: 200,
  },
  'POST /2fa/passkeys by an account token': {
    async prepare(service, name) {
      const { token } = await account(service, name)
      return { token, body: await newCredential(service, token) }
    },
    status: 201,
    again: '401 invalid_token',
  },
  'POST /2fa/verify by passkey': {
    async prepare(service, name) {
      const { passkey } = await enrolPasskey(service, name)
      const token = await login(service, name)
      return { token, body: await signed(service, passkey, token) }
    },
    status: 200,
    again: '401 invalid_token',
  },
  'POST /2fa/step-up by passkey': {
    async prepare(service, name) {
      const { passkey, body } = await enrolPasskey(service, name)
      return { token: body.access_token, body: await signed(service, passkey, body.access_token) }
    },
    status: 200,
    again: '422 passkey_rejected',
  },
  'POST /2fa/step-up with the password': {
    async prepare(service, name) {
      const { accessToken: token, recoveryCodes } = await enrol(service, name)
      return { token, body: { code: recoveryCodes[0], method: 'recovery_code', password: PASSWORD } }
    },
    status: 200,
    again: '422 invalid_code',
  },
  'POST /2fa/step-up with the password alone': {
    async prepare(service, name) {
      const { accessToken: token } = await enrolByEmail(service, name)
      return { token, body: { method: 'password', password: PASSWORD } }
    },
    status: 200,
  },
  'POST /2fa/verify that enrols': {
    async prepare(service, name) {
      const { mfaToken: token } = await register(service, name)
      return { token, body: { code: await pendingCode(service, token) } }
    },
    status: 200,
    again: '401 invalid_token',
  },
  'POST /2fa/verify by email': {
    async prepare(service, name) {
      await registerWithEmail(service, name)
      const token = await login(service, name)
      return { token, body: { code: await mailedCode(service, token), method: 'email' } }
    },
    status: 200,
    again: '401 invalid_token',
  },
  'POST /2fa/verify by recovery code': {
    async prepare(service, name) {
      const { recoveryCodes } = await enrol(service, name)
      return { token: await login(service, name), body: { code: recoveryCodes[0], method: 'recovery_code' } }
    },
    status: 200,
    again: '401 invalid_token',
  },
}

/** @param route method and path, perhaps with a word about it. */
export function send(service: MailingService, route: string, request: RightRequest): Promise<Answer> {
  const [method = '', path = ''] = route.split(' ')
  const { url = path, body, form, token, authorization } = request
  return service.post(url, body, token, {
    method: method as 'GET',
    ...(form && { payload: new URLSearchParams(form).toString() }),
    headers: {
      ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(authorization && { authorization }),
    },
  })
}
