import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { clientTypes } from '../../openapi/client-types.ts'
import { createClient, KeyturnError, memoryStore, type TokenStore, unwrap } from '../../src/client/index.ts'
import { startListening } from '../helpers/listening.ts'
import { type OpenApi, operationsOf } from '../helpers/openapi.ts'
import { PASSWORD, type Service } from '../helpers/service.ts'
import { totp } from '../helpers/totp.ts'

/** Who builds on the service in TypeScript should not have to think of tokens. */

const ROOT = new URL('../../', import.meta.url)
const committed = (path: string) => readFileSync(new URL(path, ROOT), 'utf8')

/** A client of a real service that notes what it sends. */
function makeClient({ issuer: url }: { issuer: string }, store: TokenStore = memoryStore()) {
  const sent: { path: string; authorization: string | null }[] = []
  const signedOut: string[] = []
  let outage: (() => Promise<Response>) | null = null
  const client = createClient({
    url,
    store,
    async fetch(request) {
      const path = new URL(request.url).pathname
      sent.push({ path, authorization: request.headers.get('authorization') })
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
  const mine = makeClient(service)
  const secret = await enrolWith(mine, service)
  return { service, mine, secret }
}

const ACCESS_TTL = 600

const PROBLEM = { 'content-type': 'application/problem+json' }

t.test('its types are those of the document', async (t) => {
  const types = await clientTypes(committed('openapi/openapi.json'))
  t.equal(committed('src/client/api.ts'), types, 'npm run openapi writes them anew')
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
  t.match(unwrap(await mine.client.POST('/2fa/step-up', { body: { code } })), { access_token: String })
  t.equal(mine.sentTo('/2fa/step-up'), 2)
  t.equal(unwrap(await mine.client.GET('/me')).username, 'ada', 'with the token that the step-up gave')
  t.equal(mine.sentTo('/token/refresh'), 1)
  const wrong = await mine.client.POST('/password/change', {
    body: { current_password: 'not mine', new_password: 'correct horse battery staple' },
  })
  t.equal(wrong.error?.code, 'invalid_credentials')
  t.equal(mine.sentTo('/password/change'), 1, 'a refusal that is not about the token is an answer')
})

t.test('a session that is over says so, once', async (t) => {
  const { service, mine } = await startSignedIn(t)
  await service.delete('/sessions', mine.store.read()?.accessToken)
  await service.post('/logout', undefined, mine.store.read()?.accessToken)
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
      // The answer is on its way when somebody signs in anew.
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
      t.not(store.read()?.accessToken, 'old')
    }
  },
)

t.test('who signs out while a token is renewed stays signed out', async (t) => {
  const { service, mine } = await startSignedIn(t)
  const { client, store } = mine
  service.clock.advance(ACCESS_TTL + 1)
  mine.refreshFailsWith(async () => {
    store.write(null)
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
  await t.rejects(mine.client.GET('/me'), /fetch failed/)
  t.strictSame(mine.signedOut, [])
  mine.refreshFailsWith(null)
  t.equal(unwrap(await mine.client.GET('/me')).username, 'ada')
})

t.test('a problem can be thrown, and is told by its code', async (t) => {
  const { client } = makeClient(await startListening(t))
  const refused = client.POST('/login', { body: { username: 'nobody', password: 'wrong' } }).then(unwrap)
  const error = await refused.catch((error) => error)
  t.ok(error instanceof KeyturnError)
  t.match(error, { code: 'invalid_credentials', status: 401, problem: { request_id: String } })
  const rejected = await client.POST('/register', { body: { username: 'ada', password: 'password' } })
  t.equal(rejected.error?.code, 'password_rejected')
  const forgotten = await client.POST('/password/forgot', { body: { username: 'ada' } })
  t.equal(forgotten.error, undefined, 'an answer without a body is an answer')
})

t.test('an access token for another service is renewed before it expires', async (t) => {
  const service = await startListening(t, { environment: { ACCESS_TOKEN_TTL: '10' } })
  const mine = makeClient(service)
  t.equal(await mine.client.accessToken(), null)
  await enrolWith(mine, service)
  const before = mine.store.read()?.accessToken
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
      const client = createClient({
        url: 'https://id.example.com/auth',
        store: {
          read: () => ({ accessToken: 'access', accessExpiresAt: 0, refreshToken: 'r' }),
          write: () => {},
        },
        async fetch(request) {
          if (request.url.endsWith('/login')) return Response.json({ mfa_token: 'mfa' })
          sent.push(request.headers.get('authorization'))
          return Response.json({})
        },
      })
      const call = client[method as 'GET'] as (path: string, options: object) => Promise<unknown>
      const schemes = security.flatMap(Object.keys)
      const params = { path: { id: 'x' } }
      await call(path, { params })
      const expected = schemes.includes('accessToken') ? 'Bearer access' : null
      if (path !== '/login') t.strictSame(sent, [expected], `${method} ${path}`)

      await client.POST('/login', { body: { username: 'a', password: 'b' } })
      await call(path, { params })
      if (path !== '/login' && schemes.includes('mfaToken'))
        t.equal(sent[1], 'Bearer mfa', `${method} ${path}`)
      await call(path, { params, headers: { authorization: 'Bearer own' } })
      if (path !== '/login') t.equal(sent[2], 'Bearer own', 'what the caller says is left as it is')
    }
  },
)
