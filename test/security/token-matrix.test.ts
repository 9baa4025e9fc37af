// The attack: a token is shown where another kind is asked for, or when its time is over. Each kind of token goes
// to each route of the service; only what the tables below allow passes, and a refusal never tells what is wrong.
import { randomBytes, randomUUID } from 'node:crypto'
import t from 'tap'
import {
  codeIn,
  deliver,
  enrolByEmail,
  enrolWithAddress,
  enrolWithCodes,
  signInByEmail,
} from '../helpers/people/mail.ts'
import { enrolPasskey, newPasskey, signInAlone } from '../helpers/people/passkeys.ts'
import {
  accountTokenFor,
  deleteAccount,
  disableAccount,
  type SignedIn,
  signedInBy,
} from '../helpers/people/sessions.ts'
import { outcomeOf, withoutRequestId } from '../helpers/requests/burst.ts'
import { collectRoutes } from '../helpers/service/routes.ts'
import { type Answer, enrol, login, PASSWORD, register, startService } from '../helpers/service/service.ts'

/** What a route asks for: nothing, an mfa token, an access token, an account token, or one of two. */
type Scope = 'public' | 'mfa' | 'access' | 'account' | 'mfa or account' | 'mfa or access'

const passkey = newPasskey()
const CREATION = {
  rp: { name: 'x' },
  user: { id: 'AAAA', name: 'x', displayName: 'x' },
  challenge: 'AAAA',
  pubKeyCredParams: [],
}

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
  'POST /2fa/setup': ['mfa or account'],
  'POST /login/passkey/options': ['public'],
  'POST /login/passkey': ['public', { credential: passkey.get({ challenge: 'AAAA' }) }],
  'POST /2fa/passkeys/options': ['mfa or account'],
  'POST /2fa/passkeys': ['mfa or account', { credential: passkey.create(CREATION) }],
  'POST /2fa/passkeys/challenge': ['mfa or access'],
  'PATCH /2fa/factors/:id': ['account', { name: 'x' }],
  'DELETE /2fa/factors/:id': ['account'],
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
  'POST /2fa/setup/confirm': ['account', { code: '000000' }],
  'POST /2fa/recovery-codes': ['account'],
  'DELETE /2fa': ['account'],
  'POST /password/change': ['account', { current_password: 'x', new_password: 'staple in a haystack' }],
  'PUT /2fa/email': ['account', { enabled: true }],
  'PUT /me/email': ['account', { email: 'new@example.com' }],
  'DELETE /me': ['account'],
}

const MFA: Scope[] = ['mfa', 'mfa or account', 'mfa or access']
const ACCESS: Scope[] = ['access', 'mfa or access']
const ACCOUNT: Scope[] = ['account', 'mfa or account']

const { built: service, routes } = await collectRoutes(() =>
  startService(t, { mail: true, environment: { MFA_POLICY: 'optional', DOCS: 'off' } }),
)
/** The same service as it was while it asked everybody for a second factor. */
const strict = await startService(t, {
  mail: true,
  databaseUrl: service.databaseUrl,
  clock: service.clock,
  environment: { ISSUER: service.config.issuer },
})
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

type Kind = [opens: Scope[], make: () => Promise<string | undefined>]

/** Ways to show something, and what the sign-in gives. */
const SIGN_INS: Record<string, () => Promise<Pick<SignedIn, 'accessToken' | 'accountToken'>>> = {
  password: async () => {
    const username = newName()
    await register(service, username)
    return signedInBy(await service.post('/login', { username, password: PASSWORD }))
  },
  TOTP: () => enrol(strict, newName()),
  'recovery code': async () => {
    const { username, recoveryCodes } = await enrol(service, newName())
    const answer = { code: recoveryCodes[0], method: 'recovery_code' }
    return signedInBy(await service.post('/2fa/verify', answer, await login(service, username)))
  },
  email: () => enrolByEmail(strict, newName()),
  passkey: async () => signedInBy(await enrolPasskey(strict, newName())),
  'passkey alone': async () => {
    const { passkey } = await enrolPasskey(strict, newName())
    return signedInBy(await signInAlone(strict, passkey))
  },
}

/** Each kind of token: how somebody gets one, and which scopes it opens. */
const KINDS: Record<string, Kind> = {
  'no token': [[], async () => undefined],
  'the mfa token of a newcomer': [MFA, async () => (await register(strict, newName())).mfaToken],
  'an mfa token': [MFA, async () => login(service, (await enrol(service, newName())).username)],
  ...Object.fromEntries(
    Object.entries(SIGN_INS).flatMap(([way, signIn]): [string, Kind][] => [
      [`an access token by ${way}`, [ACCESS, async () => (await signIn()).accessToken]],
      [`an account token by ${way}`, [ACCOUNT, async () => (await signIn()).accountToken]],
    ]),
  ),
  'an access token by email of who has an authenticator': [
    ACCESS,
    async () => {
      const { username } = await enrolWithCodes(service, newName())
      return signedInBy(await signInByEmail(service, username)).accessToken
    },
  ],
  'an account token of a step-up': [
    ACCOUNT,
    async () => {
      const { accessToken, recoveryCodes } = await enrol(service, newName())
      const shown = { code: recoveryCodes[0], method: 'recovery_code', password: PASSWORD }
      return (await service.post('/2fa/step-up', shown, accessToken)).body.account_token
    },
  ],
  'an expired account token': [[], async () => (await ago(300, () => enrol(strict, newName()))).accountToken],
  'an account token that was used': [
    [],
    async () => {
      const { accountToken } = await enrol(strict, newName())
      await service.post('/2fa/recovery-codes', undefined, accountToken)
      return accountToken
    },
  ],
  'an account token of before another change': [
    [],
    async () => {
      const { accessToken, accountToken } = await enrol(strict, newName())
      const other = await accountTokenFor(strict, accessToken)
      await service.post('/2fa/recovery-codes', undefined, other)
      return accountToken
    },
  ],
  'an account token of an ended session': [
    [],
    async () => {
      const { accessToken, accountToken } = await enrol(strict, newName())
      await service.post('/logout', undefined, accessToken)
      return accountToken
    },
  ],
  'an account token of a disabled account': [
    [],
    async () => {
      const { id, accountToken } = await enrol(strict, newName())
      await disableAccount(service, id)
      return accountToken
    },
  ],
  'an account token of another issuer': [[], async () => (await enrol(foreign, newName())).accountToken],
  'an expired access token': [[], async () => (await ago(600, () => enrol(service, newName()))).accessToken],
  'an expired mfa token': [[], async () => (await ago(300, () => register(strict, newName()))).mfaToken],
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
      const { id, mfaToken } = await register(strict, newName())
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
      const asksForMore = opens.includes('access') && ACCOUNT.includes(scope)
      t.equal(outcomeOf(answer), REFUSALS[asksForMore ? 1 : 0], `${route} refuses it`)
      t.match(answer.headers['www-authenticate'], shared ? /^Bearer error="/ : /^Bearer$/)
      refusals.add(JSON.stringify(withoutRequestId(answer)))
      if (route.startsWith('GET')) t.equal((await send(route, shared, 'HEAD')).status, 401, `HEAD, ${route}`)
    }
  })

t.test('the refusals of all these are two texts: not valid here, and what a change takes', async (t) => {
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
