// The attack: a token is shown where another kind is asked for, or when its time is over. Each kind of token goes
// to each route of the service; only what the tables below allow passes, and a refusal never tells what is wrong.
import { randomBytes, randomUUID } from 'node:crypto'
import t from 'tap'
import { basic, change, newClient, oauthOutcome, postForm, serviceToken } from '../helpers/people/clients.ts'
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

/**
 * What a route asks for: nothing, an mfa token, an access token, an account token, one of two, or an access token or that of a
 * service with the scope for it.
 */
type Scope = 'public' | 'mfa' | 'access' | 'account' | 'mfa or account' | 'mfa or access' | 'introspect'

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
  'GET /config': ['public'],
  'GET /problems': ['public'],
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
  'POST /token': ['public', { grant_type: 'x' }],
  'POST /token/refresh': ['public', { refresh_token: 'x' }],
  'POST /token/revoke': ['public', { token: 'x' }],
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
  'POST /token/introspect': ['introspect', { token: 'x' }],
  'POST /2fa/setup/confirm': ['account', { code: '000000' }],
  'POST /2fa/recovery-codes': ['account'],
  'DELETE /2fa': ['account'],
  'POST /password/change': ['account', { current_password: 'x', new_password: 'staple in a haystack' }],
  'PUT /2fa/email': ['account', { enabled: true }],
  'PUT /me/email': ['account', { email: 'new@example.com' }],
  'DELETE /me': ['account'],
}

const MFA: Scope[] = ['mfa', 'mfa or account', 'mfa or access']
const ACCESS: Scope[] = ['access', 'mfa or access', 'introspect']
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
  environment: { ISSUER: 'https://other.example.com', AUDIENCE: service.config.audiences[0] },
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

const NO_SCOPE = 'a service token without a scope'

/** The token of a client to which something has happened since. */
async function tokenOfA(...changes: Parameters<typeof change>[2][]): Promise<string> {
  const client = await newClient(service)
  const token = await serviceToken(service, client)
  for (const one of changes) await change(service, client.id, one)
  return token
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
  'a service token': [['introspect'], async () => serviceToken(service, await newClient(service))],
  [NO_SCOPE]: [[], async () => serviceToken(service, await newClient(service, { scopes: [] }))],
  'an expired service token': [
    [],
    async () => {
      const client = await newClient(service)
      return ago(600, () => serviceToken(service, client))
    },
  ],
  'a service token of a disabled client': [[], async () => tokenOfA('disable')],
  'a service token of a client that was disabled': [[], async () => tokenOfA('disable', 'enable')],
  'a service token of a deleted client': [[], async () => tokenOfA('delete')],
  'a service token of another issuer': [[], async () => serviceToken(foreign, await newClient(foreign))],
  'the secret of a client': [[], async () => (await newClient(service)).secret],
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

const REFUSALS = ['401 invalid_token', '401 insufficient_user_authentication', '403 insufficient_scope']

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
const reasons = new Set<unknown>()

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
      const lacksScope = kind === NO_SCOPE && scope === 'introspect'
      t.equal(outcomeOf(answer), REFUSALS[lacksScope ? 2 : asksForMore ? 1 : 0], `${route} refuses it`)
      t.match(answer.headers['www-authenticate'], shared ? /^Bearer error="/ : /^Bearer$/)
      const { reason, detail, ...said } = withoutRequestId(answer)
      refusals.add(JSON.stringify(said))
      reasons.add(reason)
      if (route.startsWith('GET')) t.equal((await send(route, shared, 'HEAD')).status, 401, `HEAD, ${route}`)
    }
  })

t.test(
  'the refusals of all these are alike but for the reason: not valid here, what a change takes, and a scope',
  async (t) => {
    t.equal(refusals.size, REFUSALS.length)
    t.strictSame([...reasons].sort(), ['ended', 'expired', 'used', 'wrong_kind', undefined])
  },
)

t.test('in a body, too, each token is good for its own purpose alone', async (t) => {
  const caller = basic(await newClient(service))
  const live = Object.keys(KINDS).filter(
    (kind) => KINDS[kind]?.[0].includes('introspect') || kind === NO_SCOPE,
  )
  const newPassword = { new_password: 'staple in a haystack' }
  const refusals: [use: string, text: string][] = []
  for (const [kind, [, make]] of Object.entries(KINDS)) {
    if ((await make()) === undefined) continue
    const token = async () => (await make()) ?? ''
    const introspected = await postForm(service, '/token/introspect', { token: await token() }, caller)
    t.equal(introspected.body.active, live.includes(kind), `introspection, ${kind}`)

    const refreshToken = async () => ({ refresh_token: await token() })
    const { id } = await newClient(service)
    const isRefresh = kind === 'a refresh token'
    const tried: Record<string, [right: boolean, Answer]> = {
      refresh: [isRefresh, await service.post('/token/refresh', await refreshToken())],
      logout: [isRefresh, await service.post('/logout', await refreshToken())],
      token: [
        isRefresh,
        await postForm(service, '/token', { grant_type: 'refresh_token', ...(await refreshToken()) }),
      ],
      secret: [
        false,
        await postForm(service, '/token', {
          ...{
            grant_type: 'client_credentials',
            client_id: id,
            client_secret: (await token()).slice(0, 256),
          },
        }),
      ],
      reset: [
        kind === 'a password reset token',
        await service.post('/password/reset', { token: await token(), ...newPassword }),
      ],
    }
    for (const [use, [right, answer]] of Object.entries(tried)) {
      t.equal(answer.status < 300, right, `${use}, ${kind}: ${oauthOutcome(answer)}`)
      if (!right) refusals.push([use, JSON.stringify(withoutRequestId(answer))])
    }
    t.equal(
      (await postForm(service, '/token/revoke', { token: await token() })).status,
      200,
      `revoking ${kind}`,
    )
  }
  for (const [use, all] of Map.groupBy(refusals, ([use]) => use))
    t.equal(new Set(all.map(([, text]) => text)).size, 1, `refusals are alike: ${use}`)
})
