import t from 'tap'
import { basic, change, newClient, oauthOutcome, postForm, serviceToken } from '../helpers/people/clients.ts'
import { claimsOf, isAlive } from '../helpers/people/sessions.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { enrol, nextCode, startService } from '../helpers/service/service.ts'

const ORDERS = 'https://orders.example.com'
const AUDIENCE = `https://api.example.com, ${ORDERS}`
const CREDENTIALS = { grant_type: 'client_credentials' }

t.test('a form with a refresh token gets tokens, as RFC 6749 section 6 has it', async (t) => {
  const service = await startService(t)
  let { refreshToken } = await enrol(service)
  for (const form of [{}, { client_id: 'keyturn' }, { client_id: 'keyturn', unknown: 'x', scope: '' }]) {
    const answer = await postForm(service, '/token', {
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      ...form,
    })
    t.equal(answer.status, 200)
    t.equal(answer.headers['cache-control'], 'no-store')
    t.match(answer.body, { token_type: 'Bearer', expires_in: 600, refresh_token: /./ })
    t.equal((await service.get('/me', answer.body.access_token)).status, 200)
    refreshToken = answer.body.refresh_token
  }
})

t.test('a secret gets a service token: of the client, and of no person', async (t) => {
  const service = await startService(t)
  const client = await newClient(service)
  const { id, secret } = client
  const byBasic = await postForm(service, '/token', CREDENTIALS, basic(client))
  const byPost = await postForm(service, '/token', { ...CREDENTIALS, client_id: id, client_secret: secret })
  for (const answer of [byBasic, byPost]) {
    t.equal(answer.headers['cache-control'], 'no-store')
    t.strictSame(Object.keys(answer.body), ['access_token', 'token_type', 'expires_in', 'scope'])
    const claims = claimsOf(answer.body.access_token)
    t.match(claims, { sub: id, client_id: id, scope: 'introspect', aud: service.config.audiences[0] })
    for (const name of ['sid', 'username', 'amr', 'acr']) t.notOk(name in claims, name)
  }
  // Libraries encode what need not be encoded.
  const encoded = [id, secret].map((text) =>
    [...text].map((c) => `%${c.charCodeAt(0).toString(16)}`).join(''),
  )
  const [encodedId = '', encodedSecret = ''] = encoded
  const answer = await postForm(
    service,
    '/token',
    CREDENTIALS,
    basic({ id: encodedId, secret: encodedSecret }),
  )
  t.equal(answer.status, 200, 'the credentials are read as a form has them')
})

t.test('a token is for the first audience, or for the one that was asked for', async (t) => {
  const service = await startService(t, { environment: { AUDIENCE } })
  const ada = await enrol(service)
  t.equal(claimsOf(ada.accessToken).aud, 'https://api.example.com')
  const refreshed = await service.post('/token/refresh', {
    refresh_token: ada.refreshToken,
    resource: ORDERS,
  })
  t.equal(claimsOf(refreshed.body.access_token).aud, ORDERS)
  t.equal((await service.get('/me', refreshed.body.access_token)).status, 200, 'and reads here')
  const form = { grant_type: 'refresh_token', refresh_token: refreshed.body.refresh_token }
  const unknown = await postForm(service, '/token', { ...form, resource: 'https://other.example.com' })
  t.equal(oauthOutcome(unknown), '400 invalid_target', 'and the refresh token is as good as before')
  const again = await postForm(service, '/token', { ...form, resource: ORDERS })
  t.equal(claimsOf(again.body.access_token).aud, ORDERS)
  const last = await service.post('/token/refresh', {
    refresh_token: again.body.refresh_token,
    resource: 'https://other.example.com',
  })
  t.equal(outcomeOf(last), '400 validation_failed')
  t.match(last.body.errors, [{ pointer: '/resource', detail: /is not an audience of this service/ }])

  const client = await newClient(service)
  t.equal(claimsOf(await serviceToken(service, client)).aud, 'https://api.example.com')
  const forOrders = claimsOf(await serviceToken(service, client, { resource: ORDERS }))
  t.equal(forOrders.aud, ORDERS)
  t.notOk('scope' in forOrders, 'what goes to another service opens nothing here')
  const both = { resource: ORDERS, scope: 'introspect' }
  t.equal(claimsOf(await serviceToken(service, client, both)).scope, 'introspect', 'unless that is asked for')
})

t.test('what is wrong with a request is said as RFC 6749 section 5.2 has it', async (t) => {
  const service = await startService(t)
  const { refreshToken } = await enrol(service)
  const client = await newClient(service)
  const plain = await newClient(service, { scopes: [] })
  const { id, secret } = client
  const refresh = { grant_type: 'refresh_token', refresh_token: refreshToken }
  const other = { id: plain.id, secret }
  const cases: [string, Record<string, string> | string, string | undefined, string][] = [
    ['no grant', '', undefined, '400 invalid_request'],
    ['a grant that is not there', { grant_type: 'password' }, undefined, '400 unsupported_grant_type'],
    ['no refresh token', { grant_type: 'refresh_token' }, undefined, '400 invalid_request'],
    [
      'a refresh token twice',
      'grant_type=refresh_token&refresh_token=a&refresh_token=b',
      undefined,
      '400 invalid_request',
    ],
    ['an unknown refresh token', { ...refresh, refresh_token: 'x' }, undefined, '400 invalid_grant'],
    ['a scope for a person', { ...refresh, scope: 'introspect' }, undefined, '400 invalid_scope'],
    ['a client that is none', { ...refresh, client_id: 'x' }, undefined, '401 invalid_client'],
    ['a refresh by a service', refresh, basic(client), '400 unauthorized_client'],
    ['no client', CREDENTIALS, undefined, '401 invalid_client'],
    ['the client of people', { ...CREDENTIALS, client_id: 'keyturn' }, undefined, '401 invalid_client'],
    ['a wrong secret', CREDENTIALS, basic({ id, secret: 'x' }), '401 invalid_client'],
    ["another client's secret", CREDENTIALS, basic(other), '401 invalid_client'],
    ['no secret', CREDENTIALS, basic({ id, secret: '' }), '401 invalid_client'],
    [
      'a wrong secret in the form',
      { ...CREDENTIALS, client_id: id, client_secret: 'x' },
      undefined,
      '401 invalid_client',
    ],
    ['another scheme', CREDENTIALS, `Bearer ${secret}`, '401 invalid_client'],
    ['a secret that is not encoded', CREDENTIALS, basic({ id, secret: '%' }), '401 invalid_client'],
    ['two ways at once', { ...CREDENTIALS, client_secret: secret }, basic(client), '400 invalid_request'],
    ['two clients at once', { ...CREDENTIALS, client_id: plain.id }, basic(client), '400 invalid_request'],
    ['a scope that is not there', { ...CREDENTIALS, scope: 'admin' }, basic(client), '400 invalid_scope'],
    [
      'a scope that it does not have',
      { ...CREDENTIALS, scope: 'introspect' },
      basic(plain),
      '400 invalid_scope',
    ],
    [
      'a resource that is not there',
      { ...CREDENTIALS, resource: 'https://x' },
      basic(client),
      '400 invalid_target',
    ],
  ]
  for (const [what, form, authorization, outcome] of cases) {
    const answer = await postForm(service, '/token', form, authorization)
    t.equal(oauthOutcome(answer), outcome, what)
    t.match(answer.headers['content-type'], /^application\/json/, what)
    t.match(answer.body, { error_description: /^[ !#-[\]-~]+$/ }, what)
    t.strictSame(Object.keys(answer.body), ['error', 'error_description'], what)
    if (answer.status === 401) t.equal(answer.headers['www-authenticate'], 'Basic realm="keyturn"', what)
  }
  const json = await service.post('/token', refresh)
  t.equal(oauthOutcome(json), '400 invalid_request', 'as JSON')
  const notUtf8 = await postForm(service, '/token', 'grant_type=%ff')
  t.equal(oauthOutcome(notUtf8), '400 unsupported_grant_type')
  t.equal((await postForm(service, '/token', refresh)).status, 200, 'and none of it has used the token up')
})

t.test('a body of another type is told the one that the route takes', async (t) => {
  const service = await startService(t)
  const asText = { headers: { 'content-type': 'text/plain' } }
  const told = async (url: string, body: unknown, options = {}) => {
    const answer = (await service.post(url, body, undefined, options)).body
    return answer.error_description ?? answer.detail
  }
  const json = { grant_type: 'client_credentials' }
  t.equal(await told('/token', json), 'Send the body as application/x-www-form-urlencoded.')
  const asNothing = { payload: 'x', headers: { 'content-type': 'garbage' } }
  t.equal(await told('/token', undefined, asNothing), 'Send the body as application/x-www-form-urlencoded.')
  t.equal(await told('/login', '{}', asText), 'Send the body as application/json.')
  t.equal(
    await told('/token/introspect', '{}', { headers: { ...asText.headers, authorization: 'Basic eDp5' } }),
    'Send the body as application/json or application/x-www-form-urlencoded.',
  )
})

t.test('a form without a parameter that must be there names it', async (t) => {
  const service = await startService(t)
  for (const form of [{}, { refresh_token: 'x' }]) {
    const { error, error_description: text } = (await postForm(service, '/token', form)).body
    t.strictSame([error, text], ['invalid_request', "grant_type: 'grant_type' is missing."])
  }
})

t.test('an error says which parameter is wrong, in characters that it may have', async (t) => {
  const service = await startService(t)
  const form = { grant_type: 'refresh_token', refresh_token: 'x'.repeat(8193), resource: 'x'.repeat(2049) }
  const { body } = await postForm(service, '/token', form)
  t.equal(body.error, 'invalid_request')
  t.match(body.error_description, /refresh_token: .*resource: /)
})

t.test('secrets and tokens in the URL are refused, and what was right otherwise is not done', async (t) => {
  const service = await startService(t)
  const { accessToken, refreshToken } = await enrol(service)
  const client = await newClient(service)
  const query = `client_id=${client.id}&client_secret=${client.secret}`
  for (const [url, form, authorization] of [
    [`/token?${query}`, CREDENTIALS, undefined],
    [`/token?${query}`, CREDENTIALS, basic(client)],
    [`/token?refresh_token=${refreshToken}`, { grant_type: 'refresh_token' }, undefined],
    [`/token?x=1`, { grant_type: 'refresh_token', refresh_token: refreshToken }, undefined],
    [`/token/revoke?token=${refreshToken}`, { token: refreshToken }, undefined],
  ] as const)
    t.equal(oauthOutcome(await postForm(service, url, form, authorization)), '400 invalid_request', url)
  const introspect = `/token/introspect?token=${accessToken}`
  const asked = await postForm(service, introspect, { token: accessToken }, basic(client))
  t.equal(outcomeOf(asked), '400 validation_failed')
  t.match(outcomeOf(await postForm(service, `/token/introspect?${query}`, { token: accessToken })), /^401/)
  t.equal(
    (await service.post('/token/refresh', { refresh_token: refreshToken })).status,
    200,
    'it still lives',
  )
})

t.test('a repeat with the Idempotency-Key gets the same successor here, too', async (t) => {
  const service = await startService(t)
  const { refreshToken } = await enrol(service)
  const form = { grant_type: 'refresh_token', refresh_token: refreshToken }
  const key = { 'idempotency-key': 'a key of sixteen letters or more' }
  const first = await postForm(service, '/token', form, undefined, key)
  service.clock.advance(3600)
  const second = await postForm(service, '/token', form, undefined, key)
  t.equal(second.body.refresh_token, first.body.refresh_token)
})

t.test(
  'a refresh token revokes its session, also one that was used, and so does an access token',
  async (t) => {
    const service = await startService(t)
    const asked = { revoked: 0 }
    for (const [what, kind] of [
      ['a refresh token', 'fresh'],
      ['a refresh token that was used', 'used'],
      ['an access token', 'access'],
      ['a refresh token, as JSON', 'json'],
    ] as const) {
      const ada = await enrol(service, `ada-${kind}`)
      if (kind === 'used') await service.post('/token/refresh', { refresh_token: ada.refreshToken })
      const token = kind === 'access' ? ada.accessToken : ada.refreshToken
      const revoke = () =>
        kind === 'json'
          ? service.post('/token/revoke', { token })
          : postForm(service, '/token/revoke', {
              token,
              token_type_hint: 'refresh_token',
              client_id: 'keyturn',
            })
      const answer = await revoke()
      t.strictSame([answer.status, answer.text], [200, ''], what)
      t.equal((await service.get('/me', ada.accessToken)).status, 401, what)
      t.equal((await service.post('/token/refresh', { refresh_token: ada.refreshToken })).status, 401, what)
      t.equal((await revoke()).status, 200, 'and again')
      asked.revoked += 1
    }
    const ended = await service.db
      .selectFrom('audit_events')
      .select('id')
      .where('event', '=', 'session_ended')
      .execute()
    t.equal(ended.length, asked.revoked, 'each is one event')
  },
)

t.test('revoking anything else does nothing, and is answered alike', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const client = await newClient(service)
  const mfa = (await service.post('/login', { username: 'ada', password: 'correct horse battery' })).body
    .mfa_token
  for (const token of [
    'x',
    mfa,
    ada.accountToken,
    await serviceToken(service, client),
    client.secret,
    '\0',
    '令牌',
  ]) {
    const answer = await postForm(service, '/token/revoke', { token })
    t.strictSame([answer.status, answer.text], [200, ''])
  }
  t.equal((await service.get('/me', ada.accessToken)).status, 200)
  t.equal(oauthOutcome(await postForm(service, '/token/revoke', {})), '400 invalid_request')
})

t.test('a disabled client gets no token', async (t) => {
  const service = await startService(t)
  const client = await newClient(service)
  await change(service, client.id, 'disable')
  t.equal(oauthOutcome(await postForm(service, '/token', CREDENTIALS, basic(client))), '401 invalid_client')
  await change(service, client.id, 'enable')
  t.equal((await postForm(service, '/token', CREDENTIALS, basic(client))).status, 200)
})

t.test('a refresh token in the body signs out, whatever stands in the header', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const out = await service.post('/logout', { refresh_token: ada.refreshToken }, 'an.old.token')
  t.equal(out.status, 204)
  t.notOk(await isAlive(service, ada.accessToken))
})

t.test('a step-up keeps the service that the access token is for', async (t) => {
  const audiences = 'https://app.example.com,https://orders.example.com'
  const service = await startService(t, { environment: { AUDIENCE: audiences } })
  const ada = await enrol(service)
  const asked = { refresh_token: ada.refreshToken, resource: 'https://orders.example.com' }
  const { access_token } = (await service.post('/token/refresh', asked)).body
  const { body } = await service.post('/2fa/step-up', { code: nextCode(service, ada) }, access_token)
  t.equal(claimsOf(body.access_token).aud, 'https://orders.example.com')
})

t.test('a token in the URL of a refresh or a sign-out is refused', async (t) => {
  const service = await startService(t)
  const { refreshToken } = await enrol(service)
  for (const path of ['/token/refresh', '/logout']) {
    const answer = await service.post(`${path}?refresh_token=${refreshToken}`, {
      refresh_token: refreshToken,
    })
    t.equal(answer.status, 400, path)
  }
})
