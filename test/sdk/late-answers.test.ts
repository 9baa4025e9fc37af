import t, { type Test } from 'tap'
import { operatorCaller } from '../../src/cli/operator.ts'
import { resetFactors } from '../../src/factors/reset.ts'
import {
  asyncStore,
  createClient,
  memoryStore,
  type Problem,
  type TokenStore,
  unwrap,
  webStore,
} from '../../src/sdk/index.ts'
import { asResponse } from '../../src/sdk/problem.ts'
import { claimsOf, isAlive } from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { startListening } from '../helpers/service/listening.ts'
import { enrol, PASSWORD, type Service } from '../helpers/service/service.ts'

/** What a person does while an answer is on its way counts, and not the answer; and a store or a listener that is broken keeps no one out. */

type Listening = Service & { issuer: string }

/** A client whose next answer of one route waits. */
function makeClient({ issuer: url }: Listening, store: TokenStore = memoryStore()) {
  let waiting: { path: string; arrived: () => void; until: Promise<void> } | null = null
  const client = createClient({
    url,
    store,
    async fetch(request) {
      const answer = await fetch(request)
      if (!waiting || new URL(request.url).pathname !== waiting.path) return answer
      const { arrived, until } = waiting
      waiting = null
      arrived()
      await until
      return answer
    },
  })
  /** @returns what lets the answer through, once the service has given it. */
  const hold = (path: string) => {
    const [arrival, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    waiting = { path, arrived: arrival.resolve, until: release.promise }
    return { arrived: arrival.promise, release: release.resolve }
  }
  return { client, hold }
}

async function start(t: Test) {
  const service = await startListening(t)
  const [ada, bob] = [await enrol(service, 'ada'), await enrol(service, 'bob')]
  service.clock.advance(60)
  const own = makeClient(service)
  const signIn = async (person: { username: string; secret: string }) => {
    unwrap(await own.client.POST('/login', { body: { username: person.username, password: PASSWORD } }))
    const code = totp(person.secret, service.clock.now())
    return own.client.POST('/2fa/verify', { body: { code } })
  }
  return { service, ada, bob, signIn, ...own }
}

/** The session that an answer brings after a sign-out is not there, and ends. */
async function signsOutMeanwhile(
  t: Test,
  { service, client, hold }: Awaited<ReturnType<typeof start>>,
  path: string,
  send: () => Promise<{ data?: { access_token: string }; error?: Problem; response: Response }>,
): Promise<void> {
  const { arrived, release } = hold(path)
  const sending = send()
  await arrived
  await client.POST('/logout')
  release()
  const { access_token } = unwrap<{ access_token: string }>(await sending)
  t.strictSame(await client.state(), { status: 'signed_out' })
  await eventually('the session has ended', async () => !(await isAlive(service, access_token)))
}

t.test('a sign-in that is answered after a sign-out is none, and its session ends', async (t) => {
  const own = await start(t)
  await signsOutMeanwhile(t, own, '/2fa/verify', () => own.signIn(own.ada))
})

t.test('a step-up that is answered after another person has signed in leaves no access token', async (t) => {
  const { service, ada, bob, client, hold, signIn } = await start(t)
  unwrap(await signIn(ada))
  service.clock.advance(60)
  const { arrived, release } = hold('/2fa/step-up')
  const code = totp(ada.secret, service.clock.now())
  const steppingUp = client.POST('/2fa/step-up', { body: { code, password: PASSWORD } })
  await arrived
  unwrap(await signIn(bob))
  release()
  unwrap(await steppingUp)
  t.match(claimsOf((await client.accessToken()) ?? ''), { sub: bob.id })
  await client.DELETE('/me')
  const { accounts } = service.deps
  t.ok(await accounts.byId(ada.id), 'nor the account token')
  t.notOk(await accounts.byId(bob.id))
})

t.test('a new password that is answered after a sign-out signs no one in', async (t) => {
  const own = await start(t)
  unwrap(await own.signIn(own.ada))
  const body = { current_password: PASSWORD, new_password: 'staple in a haystack' }
  await signsOutMeanwhile(t, own, '/password/change', () => own.client.POST('/password/change', { body }))
})

t.test('a request of one person is not sent again as another one', async (t) => {
  const { service, ada, bob, client, hold, signIn } = await start(t)
  unwrap(await signIn(ada))
  await service.db.deleteFrom('refresh_tokens').execute()
  await service.db.updateTable('sessions').set({ ended_at: service.clock.now() }).execute()
  const { arrived, release } = hold('/sessions')
  const reading = client.GET('/sessions')
  await arrived
  unwrap(await signIn(bob))
  release()
  t.equal((await reading).error?.code, 'invalid_token')
  t.equal(unwrap(await client.GET('/me')).username, 'bob')
})

t.test('a sign-in whose store answers late is none after a sign-out', async (t) => {
  const { service, ada } = await start(t)
  const inner = memoryStore()
  let reads: Promise<void> = Promise.resolve()
  const store: TokenStore = { ...inner, read: async () => reads.then(() => inner.read()) }
  const { client } = makeClient(service, store)
  unwrap(await client.POST('/login', { body: { username: 'ada', password: PASSWORD } }))
  const held = Promise.withResolvers<void>()
  reads = held.promise
  const code = totp(ada.secret, service.clock.now())
  const verifying = client.POST('/2fa/verify', { body: { code } })
  const signingOut = client.POST('/logout')
  reads = Promise.resolve()
  held.resolve()
  await Promise.all([verifying, signingOut])
  t.strictSame(await client.state(), { status: 'signed_out' })
})

t.test('in a page that may store nothing, tokens are in memory', async (t) => {
  const { service, ada } = await start(t)
  const { client } = makeClient(service, webStore())
  unwrap(await client.POST('/login', { body: { username: 'ada', password: PASSWORD } }))
  service.clock.advance(30)
  unwrap(await client.POST('/2fa/verify', { body: { code: totp(ada.secret, service.clock.now()) } }))
  t.equal(client.signedIn, true)
})

t.test('what is renewed for one person while another one signs in is not handed on', async (t) => {
  const { service, ada, bob, client, hold, signIn } = await start(t)
  unwrap(await signIn(ada))
  service.clock.advance(600)
  const { arrived, release } = hold('/token/refresh')
  const reading = client.GET('/me')
  await arrived
  unwrap(await signIn(bob))
  release()
  t.equal((await reading).error?.code, 'invalid_token')
  t.match(claimsOf((await client.accessToken()) ?? ''), { sub: bob.id })
})

t.test('what a proxy says to a sign-out does not end it, and what the service says does', async (t) => {
  const proxies = {
    'a page to log in to the Wi-Fi': new Response('<p>Log in to the Wi-Fi</p>', { status: 200 }),
    'no word': new Response('', { status: 401 }),
    'a request that came too slowly': asResponse({ status: 408, code: 'request_timeout' } as Problem),
  }
  const over = asResponse({ status: 401, code: 'invalid_refresh_token' } as Problem)
  for (const [what, first] of Object.entries(proxies)) {
    const store = memoryStore()
    const tokens = { accessToken: 'x', accessExpiresAt: Number.MAX_SAFE_INTEGER, refreshToken: 'r' }
    store.write({ tokens, mfaStep: null })
    const answers = [first, over.clone()]
    const client = createClient({
      url: 'https://id.example.com',
      store,
      fetch: async ({ url }) => (url.endsWith('/logout') && answers.shift()) || Response.json({}),
    })
    const toEnd = async () => (await Promise.resolve(store.read())).ending
    // What is not JSON cannot be read.
    await client.POST('/logout').catch(() => {})
    t.strictSame(await toEnd(), ['r'], what)
    await client.GET('/config')
    await eventually('it is tried again, and the service has no such session', async () => !(await toEnd()))
    t.strictSame(answers, [])
  }
})

t.test('calls that wait for the same renewal share its failure', async (t) => {
  const sent: string[] = []
  const tokens = { accessToken: 'old', accessExpiresAt: Number.MAX_SAFE_INTEGER, refreshToken: 'r' }
  const client = createClient({
    url: 'https://id.example.com',
    store: { read: () => ({ tokens, mfaStep: null }), write: () => {} },
    async fetch(request) {
      const { pathname } = new URL(request.url)
      sent.push(pathname)
      if (pathname === '/me') return asResponse({ status: 401, code: 'invalid_token' } as Problem)
      // All others have been refused by then.
      await new Promise((resolve) => setImmediate(resolve))
      return new Response('', { status: 502 })
    },
  })
  const answers = await Promise.all(Array.from({ length: 5 }, () => client.GET('/me')))
  t.strictSame(
    answers.map(({ error }) => error?.code),
    Array(5).fill('unavailable'),
  )
  t.equal(sent.filter((path) => path === '/token/refresh').length, 1)
})

t.test('a store that is damaged holds nothing, and takes a sign-in', async (t) => {
  const service = await startListening(t)
  let text: string | null = '{"tokens":'
  const store = asyncStore({
    getItem: async () => text,
    setItem: async (_name, value) => {
      text = value
    },
    removeItem: async () => {
      text = null
    },
  })
  const client = createClient({ url: service.issuer, store })
  t.strictSame(await client.state(), { status: 'signed_out' })
  unwrap(await client.POST('/register', { body: { username: 'ada', password: PASSWORD } }))
  t.match(await client.state(), { status: 'mfa' })
})

t.test('a store that cannot be read fails the call that reads it, and nothing else', async (t) => {
  const store: TokenStore = {
    read: () => Promise.reject(new Error('the keychain is locked')),
    write: () => {},
  }
  const client = createClient({ url: 'https://id.example.com', store })
  // An unhandled rejection would fail this file.
  await new Promise((resolve) => setImmediate(resolve))
  await t.rejects(client.state(), { message: 'the keychain is locked' })
})

t.test('a listener that fails is reported, and the sign-in goes on', async (t) => {
  const service = await startListening(t)
  const reported = t.capture(console, 'error', () => {})
  const { client } = makeClient(service)
  const heard: string[] = []
  client.onChange(() => {
    throw new Error('of the app')
  })
  client.onChange(({ status }) => heard.push(status))
  unwrap(await client.POST('/register', { body: { username: 'ada', password: PASSWORD } }))
  t.strictSame(heard, ['mfa'])
  t.match(reported(), [{ args: [{ message: 'of the app' }] }])
})

t.test('the state says that the first factor takes an enrolment code', async (t) => {
  const service = await startListening(t)
  const { id } = await enrol(service, 'ada')
  const account = await service.deps.accounts.byId(id)
  if (account) await resetFactors(service.deps, account, operatorCaller())
  const { client } = makeClient(service)
  unwrap(await client.POST('/login', { body: { username: 'ada', password: PASSWORD } }))
  t.match(await client.state(), { status: 'mfa', enrolled: false, enrolmentCodeRequired: true })
})
