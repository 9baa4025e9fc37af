import { MORE_SCENARIOS, SCENARIOS, type Scenario } from '../../test/helpers/people/scenarios.ts'
import { enrol, PASSWORD, register } from '../../test/helpers/service/service.ts'

/** One request that succeeds, and what the example of it is called. */
export interface Success extends Pick<Scenario, 'prepare' | 'environment'> {
  route: string
  name: string
}

const USUAL = 'usual'

/** What the scenarios are called that are not the only one of their route. The first of a route is shown first. */
const NAMES: Record<string, string> = {
  'POST /register': 'second_factor_required',
  'POST /login': 'second_factor_required',
  'POST /login by address': 'address',
  'POST /2fa/setup': 'first_authenticator',
  'POST /2fa/setup that replaces': 'replacement',
  'POST /2fa/verify': 'authenticator',
  'POST /2fa/verify that enrols': 'first_sign_in',
  'POST /2fa/verify by recovery code': 'recovery_code',
  'POST /2fa/verify by email': 'email',
  'POST /2fa/verify by passkey': 'passkey',
  'POST /2fa/step-up with the password': 'recovery_code_and_password',
  'POST /2fa/step-up with the password alone': 'password_alone',
  'POST /2fa/step-up by passkey': 'passkey',
  'POST /2fa/step-up': 'authenticator',
  'POST /2fa/passkeys': 'first_factor',
  'POST /2fa/passkeys by an account token': 'another_factor',
  'POST /me/email/verify': 'code',
  'POST /me/email/verify by a link': 'link',
  'POST /password/forgot': 'username',
  'POST /password/forgot by address': 'address',
  'POST /token': 'refresh_token',
  'POST /token by a service client': 'client_credentials',
  'POST /token/introspect': 'access_token',
  'POST /logout': 'access_token',
  'POST /logout with a refresh token': 'refresh_token',
}

const optional = { MFA_POLICY: 'optional' }
const credentials = (username: string) => ({ username, password: PASSWORD })

/** What no scenario has: routes that ask the database nothing, and answers that only an example needs. */
const OTHERS: Success[] = [
  {
    route: 'POST /login',
    name: 'no_second_factor_yet',
    async prepare(service, name) {
      await register(service, name)
      return { body: credentials(name) }
    },
  },
  {
    route: 'POST /login',
    name: 'recovery_code',
    async prepare(service, name) {
      const { recoveryCodes } = await enrol(service, name)
      return { body: { ...credentials(name), recovery_code: recoveryCodes[0] } }
    },
  },
  {
    route: 'POST /login',
    name: 'no_second_factor_required',
    environment: optional,
    async prepare(service, name) {
      await register(service, name)
      return { body: credentials(name) }
    },
  },
  {
    route: 'POST /register',
    name: 'no_second_factor_required',
    environment: optional,
    prepare: async (_service, name) => ({ body: credentials(name) }),
  },
  {
    route: 'POST /token/introspect',
    name: 'ended',
    async prepare(service, name) {
      const { accessToken: token } = await enrol(service, name)
      const { accessToken } = await enrol(service, 'grace')
      await service.post('/logout', undefined, accessToken)
      return { token, body: { token: accessToken } }
    },
  },
  ...[
    'POST /login/passkey/options',
    'GET /',
    'GET /livez',
    'GET /readyz',
    'GET /config',
    'GET /problems',
    'GET /.well-known/jwks.json',
    'GET /.well-known/oauth-authorization-server',
  ].map((route) => ({ route, name: USUAL, prepare: async () => ({}) })),
]

/** Its answer is that of another one. */
const SAME = /^POST \/2fa\/setup by an account token|introspect by/

export const successes: Success[] = [
  ...Object.entries({ ...SCENARIOS, ...MORE_SCENARIOS })
    .filter(([route]) => !SAME.test(route))
    .map(([title, scenario]) => ({
      ...scenario,
      route: title.split(' ', 2).join(' '),
      name: NAMES[title] ?? USUAL,
    })),
  ...OTHERS,
]
