import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { clientTypes } from '../../openapi/client-types.ts'
import {
  createClient,
  type Kept,
  KeyturnError,
  memoryStore,
  type TokenStore,
  unwrap,
  webStore,
} from '../../src/sdk/index.ts'
import { totp } from '../helpers/people/totp.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { startListening } from '../helpers/service/listening.ts'
import { type OpenApi, operationsOf } from '../helpers/service/openapi.ts'
import { enrol, PASSWORD, type Service } from '../helpers/service/service.ts'

/** Who builds on the service in TypeScript should not have to think of tokens. */

const ROOT = new URL('../../', import.meta.url)
const committed = (path: string) => readFileSync(new URL(path, ROOT), 'utf8')

/** A client of a real service that notes what it sends. */
function makeClient({ issuer: url }: { issuer: string }, store: TokenStore = memoryStore()) {
  const sent: { path: string; authorization: string | null }[] = []
  const signedOut: string[] = []
  let outage: (() => Promise<Response>) | null = null
  let offline = false
  const client = createClient({
    url,
    store,
    async fetch(request) {
      const path = new URL(request.url).pathname
      sent.push({ path, authorization: request.headers.get('authorization') })
      if (offline) throw new TypeError('fetch failed')
      return outage && path === '/token/refresh' ? outage() : fetch(request)
    },
  })
  client.onSignedOut((reason) => signedOut.push(reason))
  return {
    ...{ client, store, sent, signedOut },
    sentTo: (path: string) => sent.filter((request) => request.path === path).length,
    refreshFailsWith: (next: typeof outage) => {
      outage = next
    },
    setOffline: (next: boolean) => {
      offline = next
    },
  }
}

/** @returns the secret of the account's authenticator. */
async function enrolWith({ client }: ReturnType<typeof makeClient>, { clock }: Service): Promise<string> {
  unwrap(await client.POST('/register', { body: { username: 'ada', password: PASSWORD } }))
  const { secret } = unwrap(await client.POST('/2fa/setup'))
  unwrap(await client.POST('/2fa/verify', { body: { code: totp(secret, clock.now()) } }))
  return secret
}

async function startSignedIn(t: Test) {
  const service = await startListening(t)
  const mine = makeClient(service, { ...memoryStore(), shared: service.issuer })
  const secret = await enrolWith(mine, service)
  return { service, mine, secret }
}

const ACCESS_TTL = 600

const PROBLEM = { 'content-type': 'application/problem+json' }

t.test('its types are those of the document', async (t) => {
  const types = await clientTypes(committed('openapi/openapi.json'))
  t.equal(committed('src/sdk/api.ts'), types, 'npm run openapi writes them again')
})

t.test('from /register to /me nobody handles a token', async (t) => {
  const { service, mine, secret } = await startSignedIn(t)
  const { client, signedOut } = mine
  t.equal(client.signedIn, true)
  const me = unwrap(await client.GET('/me'))
  t.match(me, { username: 'ada', two_factor_enabled: true })

  t.equal((await client.POST('/logout')).response.status, 204)
  t.equal(client.signedIn, false)
  t.strictSame(signedOut, ['logout'])
  t.equal((await client.GET('/me')).error?.code, 'invalid_token')

  unwrap(await client.POST('/login', { body: { username: 'ada', password: PASSWORD } }))
  t.equal(client.signedIn, false, 'a password alone is no session')
  service.clock.advance(30)
  unwrap(await client.POST('/2fa/verify', { body: { code: totp(secret, service.clock.now()) } }))
  t.equal(unwrap(await client.GET('/me')).id, me.id)
  t.equal(unwrap(await client.GET('/sessions')).sessions.length, 1)
})

t.test('an access token that has expired is renewed once for all who wait, in every tab', async (t) => {
  const { service, mine } = await startSignedIn(t)
  const other = makeClient(service, mine.store)
  service.clock.advance(ACCESS_TTL + 1)
  const answers = await Promise.all(
    [mine, other, mine, other, mine, other].map(({ client }) => client.GET('/me')),
  )
  for (const { data } of answers) t.equal(data?.username, 'ada')
  t.equal(mine.sentTo('/token/refresh') + other.sentTo('/token/refresh'), 1)

  service.clock.advance(ACCESS_TTL + 1)
  t.equal((await other.client.GET('/me')).data?.username, 'ada')
  t.equal((await mine.client.GET('/me')).data?.username, 'ada', 'and nobody was signed out by it')
  t.strictSame([...mine.signedOut, ...other.signedOut], [])
})

t.test('the request is sent again as it was, and no more than once', async (t) => {
  const { service, mine, secret } = await startSignedIn(t)
  service.clock.advance(ACCESS_TTL + 1)
  const code = totp(secret, service.clock.now())
  const body = { code, password: PASSWORD }
  t.match(unwrap(await mine.client.POST('/2fa/step-up', { body })), { access_token: String })
  t.equal(mine.sentTo('/2fa/step-up'), 2)
  t.equal(unwrap(await mine.client.GET('/me')).username, 'ada', 'with the token that the step-up gave')
  t.equal(mine.sentTo('/token/refresh'), 1)
  const wrong = await mine.client.POST('/password/change', {
    body: { current_password: 'not mine', new_password: 'correct horse battery staple' },
  })
  t.equal(wrong.error?.code, 'invalid_credentials')
  t.equal(mine.sentTo('/password/change'), 1, 'a refusal that is not about the token is an answer')
})

t.test(
  'a change of the account takes the account token of the sign-in, and goes on in the new session',
  async (t) => {
    const { service, mine, secret } = await startSignedIn(t)
    const { client } = mine
    const passwords = { current_password: PASSWORD, new_password: 'staple in a haystack' }
    unwrap(await client.POST('/2fa/setup'))
    unwrap(await client.POST('/password/change', { body: passwords }))
    t.equal(unwrap(await client.GET('/me')).username, 'ada', 'with the tokens of the answer')

    const spent = await client.POST('/2fa/recovery-codes')
    t.match(spent.error, { code: 'insufficient_user_authentication', needs: 'account_token' })
    service.clock.advance(30)
    const code = totp(secret, service.clock.now())
    unwrap(await client.POST('/2fa/step-up', { body: { code, password: passwords.new_password } }))
    t.equal(unwrap(await client.POST('/2fa/recovery-codes')).recovery_codes.length, 10)
    t.notMatch(JSON.stringify(await mine.store.read()), /account/, 'it is never stored')
  },
)

t.test('an account token that has expired meanwhile is told as one that is missing', async (t) => {
  const { service, mine } = await startSignedIn(t)
  service.clock.advance(301)
  const { error } = await mine.client.POST('/2fa/setup')
  t.match(error, { code: 'insufficient_user_authentication', needs: 'account_token' })
  t.equal(mine.sentTo('/2fa/setup'), 3, 'at the enrolment, with it, and without it')
})

t.test(
  'a refresh whose answer was lost is repeated with its key, also by the next start of the app',
  async (t) => {
    const { service, mine } = await startSignedIn(t)
    const { tokens } = await mine.store.read()
    service.clock.advance(ACCESS_TTL + 1)
    const lost = await service.post('/token/refresh', { refresh_token: tokens?.refreshToken }, undefined, {
      headers: { 'idempotency-key': tokens?.refreshKey ?? '' },
      remoteAddress: '203.0.113.7',
    })
    t.equal(lost.status, 200)
    service.clock.advance(3600)
    const next = makeClient(service, mine.store)
    t.equal((await next.client.GET('/me')).data?.username, 'ada')
    t.strictSame(next.signedOut, [])
  },
)

t.test('signing out leaves nothing alive, also where the access token has run out', async (t) => {
  const { service, mine } = await startSignedIn(t)
  const { tokens } = await mine.store.read()
  service.clock.advance(ACCESS_TTL + 1)
  t.equal((await mine.client.POST('/logout')).response.status, 204)
  t.strictSame(mine.signedOut, ['logout'])
  t.equal(mine.sentTo('/token/refresh'), 0, 'it does not take a new token for it')
  t.equal((await service.post('/token/refresh', { refresh_token: tokens?.refreshToken })).status, 401)
  const live = await service.db.selectFrom('sessions').select('id').where('ended_at', 'is', null).execute()
  t.strictSame(live, [])
})

t.test('who signs out without a network is signed out here, and there when it is back', async (t) => {
  const { service, mine } = await startSignedIn(t)
  const { tokens } = await mine.store.read()
  mine.setOffline(true)
  t.match((await mine.client.POST('/logout')).error, { code: 'unavailable', status: 503 })
  t.strictSame(await mine.client.state(), { status: 'signed_out' })
  t.strictSame(mine.signedOut, ['logout'])

  const next = makeClient(service, mine.store)
  next.setOffline(true)
  await next.client.GET('/config')
  t.equal(next.sentTo('/logout'), 0, 'not before the service has answered')
  next.setOffline(false)
  await next.client.GET('/config')
  await eventually('the session is ended', async () => !(await next.store.read()).ending)
  t.equal((await service.post('/token/refresh', { refresh_token: tokens?.refreshToken })).status, 401)
  unwrap(await next.client.GET('/config'))
  t.equal(next.sentTo('/logout'), 1)
})

t.test('recovery codes are there until the person has saved them', async (t) => {
  const { service, mine, secret } = await startSignedIn(t)
  const { client } = makeClient(service, mine.store)
  const shown = await client.state()
  t.equal(shown.status === 'signed_in' && shown.recoveryCodes?.length, 10, 'after a reload')
  service.clock.advance(ACCESS_TTL + 1)
  unwrap(await client.GET('/me'))
  t.strictSame(await client.state(), shown, 'and a refresh')

  service.clock.advance(30)
  const code = totp(secret, service.clock.now())
  unwrap(await client.POST('/2fa/step-up', { body: { code, password: PASSWORD } }))
  const { recovery_codes: renewed } = unwrap(await client.POST('/2fa/recovery-codes'))
  t.strictSame(await client.state(), { status: 'signed_in', recoveryCodes: renewed })
  await client.recoveryCodesSaved()
  unwrap(await client.GET('/2fa'))
  t.strictSame(await client.state(), { status: 'signed_in' })
  t.notMatch(JSON.stringify(await mine.store.read()), String(renewed[0]))
})

t.test('recovery codes of another account are not shown to who signs in next', async (t) => {
  const { service, mine } = await startSignedIn(t)
  const bob = await enrol(service, 'bob')
  const login = { username: 'bob', password: PASSWORD, recovery_code: String(bob.recoveryCodes[0]) }
  unwrap(await mine.client.POST('/login', { body: login }))
  t.strictSame(await mine.client.state(), { status: 'signed_in' })
})

t.test('who signs out of a session that is over is signed out', async (t) => {
  const { service, mine } = await startSignedIn(t)
  await service.post('/logout', undefined, (await mine.store.read()).tokens?.accessToken)
  t.equal((await mine.client.POST('/logout')).error?.code, 'invalid_refresh_token')
  t.strictSame(mine.signedOut, ['logout'])
  t.equal(mine.client.signedIn, false)
})

t.test('a session that is over says so, once', async (t) => {
  const { service, mine } = await startSignedIn(t)
  await service.delete('/sessions', (await mine.store.read()).tokens?.accessToken)
  await service.post('/logout', undefined, (await mine.store.read()).tokens?.accessToken)
  const [first, second] = await Promise.all([mine.client.GET('/me'), mine.client.GET('/sessions')])
  t.equal(first.error?.code, 'invalid_token')
  t.equal(second.error?.code, 'invalid_token')
  t.strictSame(mine.signedOut, ['ended'])
  t.equal(mine.client.signedIn, false)
  t.equal(await mine.client.accessToken(), null)
})

t.test(
  'what a refresh says of tokens that were replaced meanwhile does not touch the new ones',
  async (t) => {
    for (const outcome of [200, 401]) {
      const { service, mine, secret } = await startSignedIn(t)
      const { client, store } = mine
      service.clock.advance(ACCESS_TTL + 1)
      // The answer is on its way when a person signs in again.
      mine.refreshFailsWith(async () => {
        mine.refreshFailsWith(null)
        unwrap(await client.POST('/login', { body: { username: 'ada', password: PASSWORD } }))
        unwrap(await client.POST('/2fa/verify', { body: { code: totp(secret, service.clock.now()) } }))
        return outcome === 200
          ? Response.json({ access_token: 'old', expires_in: 600, refresh_token: 'old' })
          : Response.json({ code: 'invalid_refresh_token' }, { status: 401, headers: PROBLEM })
      })
      t.equal(unwrap(await client.GET('/me')).username, 'ada', `${outcome}`)
      t.strictSame(mine.signedOut, [])
      t.not((await store.read()).tokens?.accessToken, 'old')
    }
  },
)

t.test('who signs out while a token is renewed stays signed out', async (t) => {
  const { service, mine } = await startSignedIn(t)
  const { client, store } = mine
  service.clock.advance(ACCESS_TTL + 1)
  mine.refreshFailsWith(async () => {
    store.write({ tokens: null, mfaStep: null })
    return Response.json({ access_token: 'old', expires_in: 600, refresh_token: 'old' })
  })
  t.equal((await client.GET('/me')).error?.code, 'invalid_token')
  t.equal(client.signedIn, false)
})

t.test('a service that is away for a moment signs nobody out', async (t) => {
  const { service, mine } = await startSignedIn(t)
  service.clock.advance(ACCESS_TTL + 1)
  mine.refreshFailsWith(async () => new Response('<h1>Bad gateway</h1>', { status: 502 }))
  const refused = await mine.client.GET('/me')
  t.match(refused.error, { code: 'unavailable', status: 502 }, 'what a proxy says is a problem like others')
  mine.refreshFailsWith(() => Promise.reject(new TypeError('fetch failed')))
  t.match((await mine.client.GET('/me')).error, { code: 'unavailable', status: 503 }, 'no answer is one too')
  t.strictSame(mine.signedOut, [])
  mine.refreshFailsWith(null)
  t.equal(unwrap(await mine.client.GET('/me')).username, 'ada')
})

t.test(
  'the step between password and second factor outlives a reload, and ends with its token',
  async (t) => {
    const service = await startListening(t)
    const mine = makeClient(service)
    const states: string[] = []
    mine.client.onChange(({ status }) => states.push(status))
    t.strictSame(await mine.client.state(), { status: 'signed_out' })
    unwrap(await mine.client.POST('/register', { body: { username: 'ada', password: PASSWORD } }))

    const { client } = makeClient(service, mine.store)
    const step = { status: 'mfa', enrolled: false, methods: ['passkey', 'totp'], expiresAt: Number }
    t.match(await client.state(), step, 'after a reload')
    unwrap(await client.POST('/2fa/setup'))
    for (let left = 4; left >= 0; left--) {
      t.match(await client.state(), step, 'a wrong code is no reason to begin again')
      const { error } = await client.POST('/2fa/verify', { body: { code: '000000' } })
      t.match(error, { code: 'invalid_code', attempts_left: left })
    }
    t.strictSame(await client.state(), { status: 'signed_out' }, 'the person begins with the password')

    t.strictSame(await mine.client.state(), { status: 'signed_out' })
    t.strictSame(states, ['mfa', 'signed_out'])

    unwrap(await client.POST('/login', { body: { username: 'ada', password: PASSWORD } }))
    t.match(await client.state(), step)
    t.equal((await client.POST('/logout')).response.status, 204)
    t.strictSame(await client.state(), { status: 'signed_out' }, 'who signs out gives it up')
  },
)

t.test('an mfa token that has expired is a step no more', async (t) => {
  const store = memoryStore()
  const mfaStep = { mfaToken: 'old', expiresAt: Date.now() - 1, enrolled: true, methods: ['totp'] }
  store.write({ tokens: null, mfaStep })
  const { client, sent } = makeClient(await startListening(t), store)
  t.strictSame(await client.state(), { status: 'signed_out' })
  await client.POST('/2fa/verify', { body: { code: '000000' } })
  t.match(sent, [{ authorization: null }])
})

t.test('in a page, tabs share the session and each has a step of its own', async (t) => {
  const page = fakePage(t)
  const store = webStore()
  store.onChange?.(() => t.fail('a tab is not told what it wrote itself'))
  const tokens = { accessToken: 'access', accessExpiresAt: 1, refreshToken: 'refresh' }
  const mfaStep = { mfaToken: 'mfa', expiresAt: 1, enrolled: true, methods: ['totp'] }
  const ending = ['another refresh']
  store.write({ tokens, mfaStep, ending })
  t.strictSame(await webStore().read(), { tokens, mfaStep, ending }, 'after a reload')
  page.sessionStorage.clear()
  t.strictSame(await webStore().read(), { tokens, mfaStep: null, ending }, 'in another tab')

  const { client, signedOut } = makeClient({ issuer: 'http://127.0.0.1:9' }, webStore())
  t.equal(client.signedIn, true)
  page.localStorage.clear()
  for (const listener of page.listeners.slice(1)) listener({ key: null })
  await client.state()
  t.equal(client.signedIn, false)
  t.strictSame(signedOut, ['elsewhere'])
})

/** The globals of a page that `webStore` uses, for the length of a test. */
function fakePage(t: Test) {
  const listeners: ((event: { key: string | null }) => void)[] = []
  const storage = () => {
    const texts = new Map<string, string>()
    return {
      getItem: (name: string) => texts.get(name) ?? null,
      setItem: (name: string, value: string) => void texts.set(name, value),
      removeItem: (name: string) => void texts.delete(name),
      clear: () => texts.clear(),
    }
  }
  const page = { localStorage: storage(), sessionStorage: storage(), listeners }
  const addEventListener = (_type: string, listener: (typeof listeners)[number]) => listeners.push(listener)
  for (const [name, value] of Object.entries({ ...page, addEventListener })) {
    Object.defineProperty(globalThis, name, { value, configurable: true })
    t.teardown(() => Reflect.deleteProperty(globalThis, name))
  }
  return page
}

t.test('a problem can be thrown, and is told by its code', async (t) => {
  const { client } = makeClient(await startListening(t, { mail: true }))
  const refused = client.POST('/login', { body: { username: 'nobody', password: 'wrong' } }).then(unwrap)
  const error = await refused.catch((error) => error)
  t.ok(error instanceof KeyturnError)
  t.match(error, { code: 'invalid_credentials', status: 401, problem: { request_id: String } })
  const rejected = await client.POST('/register', { body: { username: 'ada', password: 'password' } })
  t.equal(rejected.error?.code, 'password_rejected')
  const forgotten = await client.POST('/password/forgot', { body: { username: 'ada' } })
  t.equal(forgotten.error, undefined, 'an answer without a body is an answer')
})

/** True where two types allow the same; checked by `npm run typecheck`. */
type Same<A, B> = [A, B] extends [B, A] ? true : false

t.test('the type of an error has the codes that its route can answer with, and no others', async (t) => {
  const { client } = makeClient(await startListening(t))
  const signOut = () => client.POST('/logout', { headers: { authorization: 'Bearer none' } })
  type Code = NonNullable<Awaited<ReturnType<typeof signOut>>['error']>['code']
  const ofBody = [
    'validation_failed',
    'malformed_json',
    'payload_too_large',
    'unsupported_media_type',
  ] as const
  const ofEveryRoute = ['rate_limited', 'internal_error', 'unavailable'] as const
  const own = ['invalid_token', 'invalid_refresh_token'] as const
  const exact: Same<Code, (typeof own)[number] | (typeof ofBody)[number] | (typeof ofEveryRoute)[number]> =
    true

  const { error } = await signOut()
  // @ts-expect-error: to sign out takes no code of a second factor.
  t.equal(exact && error?.code === 'invalid_code', false)
  t.equal(error?.code === 'invalid_token', true)
})

t.test('an access token for another service is renewed before it expires', async (t) => {
  const service = await startListening(t, { environment: { ACCESS_TOKEN_TTL: '10' } })
  const mine = makeClient(service)
  t.equal(await mine.client.accessToken(), null)
  await enrolWith(mine, service)
  const before = (await mine.store.read()).tokens?.accessToken
  const token = await mine.client.accessToken()
  t.not(token, before)
  t.match(await service.post('/token/introspect', { token }, token ?? ''), { body: { active: true } })
  mine.refreshFailsWith(async () => new Response('', { status: 503 }))
  await t.rejects(mine.client.accessToken(), { name: 'KeyturnError', code: 'unavailable' })
})

t.test(
  'every route is sent the kind of token that the document says, and none that is not for it',
  async (t) => {
    const document: OpenApi = JSON.parse(committed('openapi/openapi.json'))
    for (const { method, path, security = [] } of operationsOf(document)) {
      const sent: (string | null)[] = []
      let kept: Kept = {
        tokens: { accessToken: 'access', accessExpiresAt: Number.POSITIVE_INFINITY, refreshToken: 'r' },
        mfaStep: null,
      }
      const client = createClient({
        url: 'https://id.example.com/auth',
        store: {
          read: () => kept,
          write: (next) => {
            kept = next
          },
        },
        async fetch(request) {
          if (request.url.endsWith('/login')) return Response.json({ mfa_token: 'mfa', expires_in: 300 })
          sent.push(request.headers.get('authorization'))
          return request.url.endsWith('/logout') ? new Response(null, { status: 204 }) : Response.json({})
        },
      })
      const call = client[method as 'GET'] as (path: string, options: object) => Promise<unknown>
      const schemes = security.flatMap(Object.keys)
      const params = { path: { id: 'x' } }
      await call(path, { params })
      const expected = schemes.some((scheme) => /^acc/.test(scheme)) ? 'Bearer access' : null
      if (path !== '/login' && path !== '/logout') t.strictSame(sent, [expected], `${method} ${path}`)

      await client.POST('/login', { body: { username: 'a', password: 'b' } })
      await call(path, { params })
      if (path !== '/login' && schemes.includes('mfaToken'))
        t.equal(sent[1], 'Bearer mfa', `${method} ${path}`)
      await call(path, { params, headers: { authorization: 'Bearer own' } })
      if (path !== '/login') t.equal(sent.at(-1), 'Bearer own', 'what the caller says is left as it is')
    }
  },
)
