import t from 'tap'
import {
  basic,
  change,
  endOld,
  newClient,
  oauthOutcome,
  postForm,
  rotate,
  type Shown,
  serviceToken,
} from '../helpers/people/clients.ts'
import { claimsOf, signIn } from '../helpers/people/sessions.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { enrol, type Service, startService } from '../helpers/service/service.ts'
import { watchingStatements } from '../helpers/service/statements.ts'

const [API, ORDERS] = ['https://api.example.com', 'https://orders.example.com']
const environment = { AUDIENCE: `${API},${ORDERS}` }

/** Asks about a token as gateways do. */
const ask = (service: Service, token: string, client: Shown) =>
  postForm(service, '/token/introspect', { token }, basic(client))

/** A person's token for a service. */
async function tokenFor(service: Service, username: string, resource: string): Promise<string> {
  const { refreshToken } = await enrol(service, username)
  return (await service.post('/token/refresh', { refresh_token: refreshToken, resource })).body.access_token
}

t.test('a client sees the tokens of its audience, by each way it may show itself', async (t) => {
  const service = await startService(t, { environment })
  const orders = await newClient(service, { audiences: [ORDERS] })
  const both = await newClient(service, { audiences: [API, ORDERS] })
  const [forApi, forOrders] = [await tokenFor(service, 'ada', API), await tokenFor(service, 'bob', ORDERS)]
  const expected = { active: true, token_type: 'Bearer', ...claimsOf(forOrders) }

  t.strictSame((await ask(service, forOrders, orders)).body, expected)
  t.strictSame((await ask(service, forApi, orders)).text, '{"active":false}', 'for another service')
  t.match((await ask(service, forApi, both)).body, { active: true })
  t.match((await ask(service, forOrders, both)).body, { active: true })

  const form = { token: forOrders, client_id: orders.id, client_secret: orders.secret }
  t.strictSame((await postForm(service, '/token/introspect', form)).body, expected, 'client_secret_post')
  t.strictSame((await service.post('/token/introspect', form)).body, expected, 'as JSON')
  const bearer = `Bearer ${await serviceToken(service, orders)}`
  t.strictSame(
    (await postForm(service, '/token/introspect', { token: forOrders }, bearer)).body,
    expected,
    'a token',
  )
  t.equal((await postForm(service, '/token/introspect', { token: forApi }, bearer)).text, '{"active":false}')
})

t.test('a person sees their own session and no other', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const bob = await enrol(service, 'bob')
  const elsewhere = await signIn(service, ada)
  const client = await newClient(service)
  const asked = async (token: string) =>
    (await service.post('/token/introspect', { token }, ada.accessToken)).body.active
  t.equal(await asked(ada.accessToken), true)
  t.equal(await asked(bob.accessToken), false)
  t.equal(await asked(elsewhere.accessToken), false, 'not even another one of theirs')
  t.equal(await asked(await serviceToken(service, client)), false)
})

t.test(
  'a service token is active for a client of its audience, with its scope and nothing of a person',
  async (t) => {
    const service = await startService(t, { environment })
    const [asking, billing] = [await newClient(service), await newClient(service, { name: 'billing' })]
    const token = await serviceToken(service, billing)
    const { body } = await ask(service, token, asking)
    t.strictSame(body, { active: true, token_type: 'Bearer', ...claimsOf(token) })
    t.match(body, { sub: billing.id, client_id: billing.id, scope: 'introspect' })
    const forOrders = await serviceToken(service, billing, { resource: ORDERS })
    t.equal((await ask(service, forOrders, asking)).text, '{"active":false}')

    await change(service, billing.id, 'disable')
    t.equal((await ask(service, token, asking)).text, '{"active":false}', 'disabled: dead at once')
    await change(service, billing.id, 'enable')
    t.equal((await ask(service, token, asking)).text, '{"active":false}', 'and it stays so')
    // What is issued so soon could be of a process whose clock is ahead.
    service.clock.advance(11)
    const fresh = await serviceToken(service, billing)
    t.match((await ask(service, fresh, asking)).body, { active: true })
    await change(service, billing.id, 'delete')
    t.equal((await ask(service, fresh, asking)).text, '{"active":false}', 'deleted: dead at once')
  },
)

t.test('without the scope a client asks nothing, whatever it shows', async (t) => {
  const service = await startService(t)
  const { accessToken } = await enrol(service)
  const client = await newClient(service, { scopes: [] })
  const bearer = `Bearer ${await serviceToken(service, client)}`
  for (const authorization of [basic(client), bearer]) {
    const answer = await postForm(service, '/token/introspect', { token: accessToken }, authorization)
    t.equal(outcomeOf(answer), '403 insufficient_scope')
    t.equal(answer.headers['www-authenticate'], 'Bearer error="insufficient_scope", scope="introspect"')
  }
})

t.test('a refused client is told so as OAuth has it, and no one without credentials is let in', async (t) => {
  const service = await startService(t)
  const { accessToken: token } = await enrol(service)
  const client = await newClient(service)
  const wrong = await ask(service, token, { ...client, secret: 'x' })
  t.equal(oauthOutcome(wrong), '401 invalid_client')
  t.equal(wrong.headers['www-authenticate'], 'Basic realm="keyturn"')
  const people = await ask(service, token, { id: 'keyturn', secret: '' })
  t.equal(oauthOutcome(people), '401 invalid_client')
  const form = { token, client_id: client.id, client_secret: 'x' }
  t.equal(oauthOutcome(await postForm(service, '/token/introspect', form)), '401 invalid_client')
  t.equal(
    oauthOutcome(await postForm(service, '/token/introspect', { token, client_id: 'keyturn' })),
    '401 invalid_client',
  )
  t.equal(outcomeOf(await postForm(service, '/token/introspect', { token })), '401 invalid_token')
  const two = await postForm(service, '/token/introspect', { ...form, client_id: 'x' }, basic(client))
  t.equal(oauthOutcome(two), '400 invalid_request')
})

t.test('a client shows itself in one way: a token and a secret together are refused', async (t) => {
  const service = await startService(t, { environment })
  const orders = await newClient(service, { audiences: [ORDERS] })
  const token = await tokenFor(service, 'bob', ORDERS)
  const bearer = `Bearer ${await serviceToken(service, orders)}`
  for (const secret of [orders.secret, 'a wrong one']) {
    const form = { token, client_id: orders.id, client_secret: secret }
    t.equal(oauthOutcome(await postForm(service, '/token/introspect', form, bearer)), '400 invalid_request')
  }
  const named = { token, client_id: orders.id }
  t.equal(
    (await postForm(service, '/token/introspect', named, bearer)).body.active,
    true,
    'its name is no secret',
  )
})

t.test('two secrets are good while one takes the place of the other', async (t) => {
  const service = await startService(t)
  const client = await newClient(service)
  const works = async (secret = '') => (await ask(service, 'x', { ...client, secret })).status === 200
  const second = await rotate(service, client.id)
  t.strictSame([await works(client.secret), await works(second)], [true, true])
  t.equal(await rotate(service, client.id), undefined, 'a third one would end the first')
  t.strictSame([await works(client.secret), await works(second)], [true, true])
  t.equal(await endOld(service, client.id), 1)
  t.strictSame([await works(client.secret), await works(second)], [false, true])
  t.equal(await endOld(service, client.id), 0)
  const rotations = await Promise.all(Array.from({ length: 5 }, () => rotate(service, client.id)))
  const [third, ...more] = rotations.filter((secret) => secret !== undefined)
  t.strictSame(more, [], 'of a burst of rotations one makes a secret')
  t.strictSame([await works(second), await works(third)], [true, true])
})

t.test(
  'the last use of a secret is written once a minute, and an introspection is three statements else',
  async (t) => {
    const service = await startService(t)
    const { accessToken } = await enrol(service)
    const client = await newClient(service)
    const counted = async () => {
      const statements: string[] = []
      await watchingStatements(
        service.databaseUrl,
        (text) => void statements.push(text),
        () => ask(service, accessToken, client),
      )
      return statements.filter((text) => !/^(begin|commit)/.test(text))
    }
    const lastUse = async () =>
      (await service.db.selectFrom('client_secrets').select('last_used_at').executeTakeFirst())?.last_used_at
    t.equal(await lastUse(), null)
    const first = service.clock.now()
    t.equal((await counted()).length, 4)
    t.equal(await lastUse(), first)
    service.clock.advance(59)
    t.equal((await counted()).length, 3)
    t.equal(await lastUse(), first)
    service.clock.advance(1)
    t.equal((await counted()).length, 4)
    t.equal(await lastUse(), service.clock.now())
    service.clock.advance(-3600)
    await counted()
    t.equal(await lastUse(), service.clock.now(), 'what a clock that was ahead has written does not stay')
  },
)

t.test(
  'the limit of a client is its own and not that of its address, and guesses count for the address',
  async (t) => {
    const service = await startService(t, { environment: { RATE_LIMIT: 'on' } })
    const { accessToken } = await enrol(service)
    const client = await newClient(service)
    const bearer = `Bearer ${await serviceToken(service, client)}`
    for (const authorization of [basic(client), bearer])
      for (let turn = 0; turn < 1201; turn++) {
        const answer = await postForm(service, '/token/introspect', { token: accessToken }, authorization)
        if (answer.status !== 200) t.fail(`${turn}: ${answer.status}`)
        if (turn === 0) t.match(answer.headers['ratelimit-policy'], /^"client";q=60000;w=60$/)
      }
    const own = await service.post('/token/introspect', { token: accessToken }, accessToken)
    t.match(own.headers['ratelimit-policy'], /^"general";q=1200;/, 'a person has the limit of the address')
    const refresh = await postForm(service, '/token', { grant_type: 'refresh_token', refresh_token: 'x' })
    t.match(refresh.headers['ratelimit-policy'], /^"general";/)
    const wrong = () => ask(service, accessToken, { id: `service_${crypto.randomUUID()}`, secret: 'x' })
    t.match((await wrong()).headers['ratelimit-policy'], /^"refused";q=120;/)
    for (let turn = 0; turn < 119; turn++) await wrong()
    t.equal((await wrong()).status, 429)
    t.equal((await ask(service, accessToken, client)).status, 200, 'and the client goes on at that address')
  },
)
