// The attack: a token is shown where another kind is asked for, or when its time is over. Each kind of token goes
// to each route of the service; only what the tables below allow passes, and a refusal never tells what is wrong.
import { randomBytes, randomUUID } from 'node:crypto'
import t from 'tap'
import { outcomeOf, withoutRequestId } from '../helpers/burst.ts'
import {
  codeIn,
  deliver,
  enrolByEmail,
  enrolWithAddress,
  signInByEmail,
  startMailingService,
} from '../helpers/mail.ts'
import { collectRoutes } from '../helpers/routes.ts'
import { type Answer, enrol, login, PASSWORD, register, startService } from '../helpers/service.ts'
import { deleteAccount, disableAccount, signedInBy } from '../helpers/sessions.ts'

/** What a route asks for: nothing, an mfa token, an access token, a fresh one, or one of the two for /2fa/setup. */
type Scope = 'public' | 'mfa' | 'access' | 'fresh' | 'mfa or fresh'

/** Every route; a new one belongs here. With it goes a body, where the route reads one. */
const ROUTES: Record<string, [scope: Scope, body?: object]> = {
  'GET /': ['public'],
  'GET /livez': ['public'],
  'GET /readyz': ['public'],
  'GET /openapi.json': ['public'],
  'GET /openapi.yaml': ['public'],
  'GET /.well-known/jwks.json': ['public'],
  'GET /.well-known/oauth-authorization-server': ['public'],
  'POST /register': ['public', { username: 'x', password: 'x' }],
  'POST /login': ['public', { username: 'nobody', password: PASSWORD }],
  'POST /password/forgot': ['public', { username: 'nobody' }],
  'POST /password/reset': ['public', { token: 'x', new_password: 'staple in a haystack' }],
  'POST /token/refresh': ['public', { refresh_token: 'x' }],
  'POST /2fa/email': ['mfa'],
  'POST /2fa/verify': ['mfa', { code: '000000' }],
  'POST /2fa/setup': ['mfa or fresh'],
  'GET /me': ['access'],
  'GET /me/events': ['access'],
  'POST /me/email/verify': ['access', { code: '000000' }],
  'GET /2fa': ['access'],
  'POST /2fa/step-up': ['access', { code: '000000' }],
  'GET /sessions': ['access'],
  'DELETE /sessions': ['access'],
  'DELETE /sessions/:id': ['access'],
  'POST /logout': ['access'],
  'POST /token/introspect': ['access', { token: 'x' }],
  'POST /2fa/setup/confirm': ['fresh', { code: '000000' }],
  'POST /2fa/recovery-codes': ['fresh'],
  'DELETE /2fa': ['fresh'],
  'POST /password/change': ['fresh', { current_password: 'x', new_password: 'staple in a haystack' }],
  'PUT /me/email': ['fresh', { email: 'new@example.com' }],
  'DELETE /me': ['fresh'],
}

const MFA: Scope[] = ['mfa', 'mfa or fresh']
const ACCESS: Scope[] = ['access']
const FRESH: Scope[] = ['access', 'fresh', 'mfa or fresh']

const { built: service, routes } = await collectRoutes(() =>
  startMailingService(t, { environment: { MFA_POLICY: 'optional', DOCS: 'off' } }),
)
const foreign = await startService(t, {
  environment: { ISSUER: 'https://other.example.com', AUDIENCE: service.config.audience },
  clock: service.clock,
  rootKeys: [randomBytes(32)],
})

let people = 0
const newName = () => `person-${++people}`

/** Lets something happen some time ago. */
async function ago<T>(seconds: number, event: () => Promise<T>): Promise<T> {
  service.clock.advance(-seconds)
  const outcome = await event()
  service.clock.advance(seconds)
  return outcome
}

/** Each kind of token: how somebody gets one, and which scopes it opens. */
const KINDS: Record<string, [opens: Scope[], make: () => Promise<string | undefined>]> = {
  'no token': [[], async () => undefined],
  'the mfa token of a newcomer': [MFA, async () => (await register(service, newName())).mfaToken],
  'an mfa token': [MFA, async () => login(service, (await enrol(service, newName())).username)],
  'an access token by password': [
    FRESH,
    async () => {
      const username = newName()
      await register(service, username)
      return signedInBy(await service.post('/login', { username, password: PASSWORD })).accessToken
    },
  ],
  'an access token by TOTP': [FRESH, async () => (await enrol(service, newName())).accessToken],
  'an access token by recovery code': [
    FRESH,
    async () => {
      const { username, recoveryCodes } = await enrol(service, newName())
      const answer = { code: recoveryCodes[0], method: 'recovery_code' }
      return signedInBy(await service.post('/2fa/verify', answer, await login(service, username))).accessToken
    },
  ],
  'an access token by email': [FRESH, async () => (await enrolByEmail(service, newName())).accessToken],
  'an access token by email of who has an authenticator': [
    ACCESS,
    async () => {
      const { username } = await enrolWithAddress(service, newName())
      return signedInBy(await signInByEmail(service, username)).accessToken
    },
  ],
  'an access token of 301 s ago': [
    ACCESS,
    async () => (await ago(301, () => enrol(service, newName()))).accessToken,
  ],
  'an expired access token': [[], async () => (await ago(600, () => enrol(service, newName()))).accessToken],
  'an expired mfa token': [[], async () => (await ago(300, () => register(service, newName()))).mfaToken],
  'an access token of an ended session': [
    [],
    async () => {
      const { accessToken } = await enrol(service, newName())
      await service.post('/logout', undefined, accessToken)
      return accessToken
    },
  ],
  'an access token of a deleted account': [
    [],
    async () => {
      const { id, accessToken } = await enrol(service, newName())
      await deleteAccount(service, id)
      return accessToken
    },
  ],
  'an access token of a disabled account': [
    [],
    async () => {
      const { id, accessToken } = await enrol(service, newName())
      await disableAccount(service, id)
      return accessToken
    },
  ],
  'an mfa token of a disabled account': [
    [],
    async () => {
      const { id, mfaToken } = await register(service, newName())
      await disableAccount(service, id)
      return mfaToken
    },
  ],
  'an access token of another issuer': [[], async () => (await enrol(foreign, newName())).accessToken],
  'an mfa token of another issuer': [[], async () => (await register(foreign, newName())).mfaToken],
  'a refresh token': [[], async () => (await enrol(service, newName())).refreshToken],
  'a recovery code': [[], async () => (await enrol(service, newName())).recoveryCodes[0]],
  'a password reset token': [
    [],
    async () => {
      const { username } = await enrolWithAddress(service, newName())
      await service.post('/password/forgot', { username })
      return codeIn((await deliver(service)).at(-1))
    },
  ],
}

function send(route: string, token: string | undefined, method?: string): Promise<Answer> {
  const [verb = '', path = ''] = route.split(' ')
  return service.post(path.replace(':id', randomUUID()), ROUTES[route]?.[1], token, {
    method: (method ?? verb) as 'GET',
  })
}

const REFUSALS = ['401 invalid_token', '401 insufficient_user_authentication']

t.test('the table has every route of the service', async (t) => {
  const served: string[] = []
  for (const { method, url } of routes)
    for (const name of [method].flat()) {
      const route = `${name} ${url}`
      if (name === 'HEAD' && ROUTES[`GET ${url}`]) continue
      if (ROUTES[route] || (await send(route, undefined)).status !== 405) served.push(route)
    }
  t.strictSame(served.sort(), Object.keys(ROUTES).sort())
})

const refusals = new Set<string>()

for (const [kind, [opens, make]] of Object.entries(KINDS))
  t.test(`${kind} opens ${opens.join(', ') || 'nothing'}`, async (t) => {
    const shared = await make()
    for (const [route, [scope]] of Object.entries(ROUTES)) {
      if (scope === 'public') {
        const [with_, without] = [await send(route, shared), await send(route, undefined)]
        t.equal(outcomeOf(with_), outcomeOf(without), `${route} does not look at it`)
        continue
      }
      if (opens.includes(scope)) {
        const outcome = outcomeOf(await send(route, await make()))
        t.notOk(REFUSALS.includes(outcome), `${route} lets it pass: ${outcome}`)
        continue
      }
      const answer = await send(route, shared)
      const merelyStale = opens.includes('access') && (scope === 'fresh' || scope === 'mfa or fresh')
      t.equal(outcomeOf(answer), REFUSALS[merelyStale ? 1 : 0], `${route} refuses it`)
      t.match(answer.headers['www-authenticate'], shared ? /^Bearer error="/ : /^Bearer$/)
      refusals.add(JSON.stringify(withoutRequestId(answer)))
      if (route.startsWith('GET')) t.equal((await send(route, shared, 'HEAD')).status, 401, `HEAD, ${route}`)
    }
  })

t.test('the refusals of all these are two texts: not valid here, and not fresh', async (t) => {
  t.equal(refusals.size, REFUSALS.length)
})

t.test('in a body, too, each token is good for its own purpose alone', async (t) => {
  const caller = (await enrol(service, newName())).accessToken
  const live = Object.keys(KINDS).filter((kind) => KINDS[kind]?.[0].includes('access'))
  const newPassword = { new_password: 'staple in a haystack' }
  const [refreshRefusals, resetRefusals] = [new Set<string>(), new Set<string>()]
  for (const [kind, [, make]] of Object.entries(KINDS)) {
    const token = await make()
    if (token === undefined) continue
    const introspected = await service.post('/token/introspect', { token }, caller)
    t.equal(introspected.body.active, live.includes(kind), `introspection, ${kind}`)

    const refreshed = await service.post('/token/refresh', { refresh_token: token })
    t.equal(
      outcomeOf(refreshed),
      kind === 'a refresh token' ? '200' : '401 invalid_refresh_token',
      `refresh, ${kind}`,
    )
    if (refreshed.status !== 200) refreshRefusals.add(JSON.stringify(withoutRequestId(refreshed)))

    const reset = await service.post('/password/reset', { token, ...newPassword })
    t.equal(reset.status === 204, kind === 'a password reset token', `reset, ${kind}: ${outcomeOf(reset)}`)
    if (reset.status !== 204) resetRefusals.add(JSON.stringify(withoutRequestId(reset)))
  }
  t.strictSame([refreshRefusals.size, resetRefusals.size], [1, 1], 'refusals are alike')
})
