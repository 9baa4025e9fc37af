import { randomBytes } from 'node:crypto'
import t from 'tap'
import { basic, newClient, postForm } from '../helpers/people/clients.ts'
import { claimsOf, deleteAccount, disableAccount, isAlive, signIn } from '../helpers/people/sessions.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { type Answer, enrol, login, type Service, startService } from '../helpers/service/service.ts'

/** An introspection as a form, as RFC 7662 section 2.1 writes it. */
const introspectForm = (service: Service, form: string, authorization?: string): Promise<Answer> =>
  postForm(service, '/token/introspect', form, authorization)

const introspect = (service: Service, token: string, authorization: string) =>
  service.post('/token/introspect', { token }, undefined, { headers: { authorization } })

/** What a gateway shows. */
const newGateway = async (service: Service) => basic(await newClient(service))
const bearer = (token: string) => `Bearer ${token}`

t.test('a live access token is active, with its claims, asked by JSON or by form', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const gateway = await newGateway(service)
  const expected = { active: true, token_type: 'Bearer', ...claimsOf(ada.accessToken) }

  const byJson = await introspect(service, ada.accessToken, gateway)
  t.equal(byJson.status, 200)
  t.equal(byJson.headers['cache-control'], 'no-store')
  t.strictSame(byJson.body, expected)

  for (const form of [
    `token=${ada.accessToken}`,
    `token_type_hint=access_token&token=${ada.accessToken}`,
    `token=${ada.accessToken.replaceAll('.', '%2E')}&token_type_hint=refresh_token`,
  ])
    t.strictSame((await introspectForm(service, form, gateway)).body, expected, form.slice(0, 30))
  t.strictSame(
    (await introspect(service, ada.accessToken, bearer(ada.accessToken))).body,
    expected,
    'its own',
  )
})

t.test('whatever is not a live access token of this service gets the same bytes', async (t) => {
  const service = await startService(t)
  const foreign = await startService(t, {
    environment: { ISSUER: 'https://other.example.com' },
    clock: service.clock,
    rootKeys: [randomBytes(32)],
  })
  const renamed = await startService(t, {
    databaseUrl: service.databaseUrl,
    environment: { ISSUER: 'https://renamed.example.com', AUDIENCE: service.config.audiences[0] },
    clock: service.clock,
  })
  const { accessToken: foreignToken } = await enrol(foreign)
  const expired = await enrol(service)
  service.clock.advance(600)
  const { accessToken: renamedToken } = await signIn(renamed, expired)
  const gateway = await newGateway(service)
  const deleted = await enrol(service, 'deleted')
  await deleteAccount(service, deleted.id)
  const disabled = await enrol(service, 'disabled')
  await disableAccount(service, disabled.id)
  const ended = await enrol(service, 'ended')
  await service.post('/logout', undefined, ended.accessToken)
  const live = await enrol(service, 'live')
  const [header, payload, signature] = live.accessToken.split('.') as [string, string, string]

  for (const [kind, token] of Object.entries({
    expired: expired.accessToken,
    'of an ended session': ended.accessToken,
    'of a deleted account': deleted.accessToken,
    'of a disabled account': disabled.accessToken,
    'of another issuer': foreignToken,
    'of this database under another issuer': renamedToken,
    'an mfa token': await login(service, 'live'),
    'a refresh token': live.refreshToken,
    'a recovery code': live.recoveryCodes[0] as string,
    'not signed': `${header}.${payload}.`,
    'signed otherwise': `${header}.${payload}.${signature.split('').reverse().join('')}`,
    garbage: 'garbage',
    'a blank': ' ',
    'another script': '‮令牌',
  })) {
    const byJson = await introspect(service, token, gateway)
    t.strictSame([byJson.status, byJson.text], [200, '{"active":false}'], kind)
    const form = `token=${encodeURIComponent(token)}`
    const byForm = await introspectForm(service, form, gateway)
    t.strictSame([byForm.status, byForm.text], [200, '{"active":false}'], `${kind}, as a form`)
  }
  t.equal((await introspect(service, live.accessToken, gateway)).body.active, true)
})

// A deny-list by the text of a token is passed by another text of it: the last character of a signature in
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The other texts of a token whose bytes are the same: bits of its last base64url character mean nothing. */
function respellings(token: string): string[] {
  const [last = '', body] = [token.at(-1), token.slice(0, -1)]
  const signature = (text: string) => Buffer.from(text.split('.').at(-1) ?? '', 'base64url')
  return [...ALPHABET]
    .filter((character) => character !== last)
    .map((character) => body + character)
    .filter((text) => signature(text).equals(signature(token)))
}

// base64url has bits to spare, so one token has several spellings that all verify.
t.test('a token respelled in its last base64 bits stays out after the logout', async (t) => {
  for (const alg of ['ES256', 'EdDSA']) {
    const service = await startService(t, {
      environment: { JWT_ALG: alg },
    })
    const ada = await enrol(service)
    const gateway = await newGateway(service)
    const spellings = respellings(ada.accessToken)
    t.equal(spellings.length, 15, `${alg}: two bytes in three characters leave four bits`)

    const alive = await Promise.all(spellings.map((spelling) => isAlive(service, spelling)))
    t.comment(`${alg}: ${alive.filter(Boolean).length} of the other spellings were taken before the logout`)
    await service.post('/logout', undefined, ada.accessToken)
    for (const spelling of [ada.accessToken, ...spellings]) {
      t.notOk(await isAlive(service, spelling))
      t.equal((await introspect(service, spelling, gateway)).text, '{"active":false}')
    }
  }
})

t.test('who asks must show a live access token', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const mfaToken = await login(service)
  for (const caller of [undefined, mfaToken, ada.refreshToken, 'garbage']) {
    const answer = await service.post('/token/introspect', { token: ada.accessToken }, caller)
    t.equal(outcomeOf(answer), '401 invalid_token')
    t.equal(
      answer.headers['www-authenticate'],
      caller ? 'Bearer error="invalid_token"' : 'Bearer',
      'RFC 6750 section 3.1',
    )
  }
  const inTheBody = await introspectForm(service, `token=x&access_token=${ada.accessToken}`)
  t.equal(outcomeOf(inTheBody), '401 invalid_token')
})

t.test('a form that is not what it should be is refused', async (t) => {
  const service = await startService(t)
  const { accessToken } = await enrol(service)
  for (const [form, outcome] of Object.entries({
    'token=a&token=b': '400 bad_request',
    'token=a&token=a': '400 bad_request',
    'token=a&tok%65n=b': '400 bad_request',
    'token=a&token_type_hint=x&token_type_hint=y': '400 bad_request',
    'token[]=a': '400 validation_failed',
    'token=': '400 validation_failed',
    '': '400 validation_failed',
    [`token=${'a'.repeat(8193)}`]: '400 validation_failed',
    [`token=${'a'.repeat(17_000)}`]: '413 payload_too_large',
  }))
    t.equal(outcomeOf(await introspectForm(service, form, bearer(accessToken))), outcome, form.slice(0, 60))
  for (const form of ['token=a&client_id=x', 'token=a&__proto__=x', 'token=a&resource_id=1'])
    t.equal((await introspectForm(service, form, bearer(accessToken))).text, '{"active":false}', form)

  const notUtf8 = await service.post('/token/introspect', undefined, accessToken, {
    payload: Buffer.from([...Buffer.from('token='), 0xff]),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  t.equal(outcomeOf(notUtf8), '400 bad_request')
  const compressed = await service.post('/token/introspect', undefined, accessToken, {
    payload: 'token=a',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'gzip' },
  })
  t.equal(outcomeOf(compressed), '415 unsupported_media_type')
})

t.test('a JSON body that is not what it should be is refused', async (t) => {
  const service = await startService(t)
  const { accessToken } = await enrol(service)
  for (const body of [{}, { token: 1 }, { token: '' }, { token: ['a'] }, { token: 'a', scope: 'b' }])
    t.equal(
      outcomeOf(await service.post('/token/introspect', body, accessToken)),
      '400 validation_failed',
      JSON.stringify(body),
    )
})

t.test('a body of another type is refused, and other routes take no forms', async (t) => {
  const service = await startService(t)
  const { accessToken } = await enrol(service)
  for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/xml'])
    t.equal(
      outcomeOf(
        await service.post('/token/introspect', undefined, accessToken, {
          payload: `token=${accessToken}`,
          headers: { 'content-type': type },
        }),
      ),
      '415 unsupported_media_type',
      type,
    )
  for (const url of ['/login', '/token/refresh', '/2fa/step-up'])
    t.equal(
      outcomeOf(
        await service.post(url, undefined, accessToken, {
          payload: 'username=ada&password=x',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        }),
      ),
      '415 unsupported_media_type',
      url,
    )
})
