import t from 'tap'
import { PASSWORD, startService } from '../helpers/service/service.ts'

/** A page of a foreign origin must not use a person's browser to call the API; a page of ours must be able to. */

const OURS = 'https://app.example.com'
const environment = { CORS_ORIGINS: `${OURS}, http://localhost:5173` }
const allowed = 'access-control-allow-origin'

t.test('a page of a listed origin may read answers, errors too', async (t) => {
  const service = await startService(t, { environment })
  for (const origin of [OURS, 'http://localhost:5173']) {
    const headers = { origin }
    const answer = await service.post('/login', { username: 'ada', password: PASSWORD }, undefined, {
      headers,
    })
    t.equal(answer.status, 401)
    t.equal(answer.headers[allowed], origin)
    t.match(answer.headers.vary, /origin/i, 'a cache keeps the answers apart')
    t.equal((await service.get('/nowhere', undefined, { headers })).headers[allowed], origin)
  }
})

t.test('its preflight request says what it may send', async (t) => {
  const service = await startService(t, { environment })
  const headers = {
    origin: OURS,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type,idempotency-key',
  }
  const answer = await service.get('/2fa/setup', undefined, { method: 'OPTIONS', headers })
  t.equal(answer.status, 204)
  t.match(answer.headers, {
    [allowed]: OURS,
    'access-control-allow-methods': /POST/,
    'access-control-allow-headers': /authorization,content-type,idempotency-key/i,
  })
  t.notOk('access-control-allow-credentials' in answer.headers, 'there are no cookies to send')
})

t.test('a page may send the headers that it asks for, as tracing in it does', async (t) => {
  const service = await startService(t, { environment })
  const asked = 'authorization, baggage, content-type, sentry-trace, traceparent'
  const headers = {
    origin: OURS,
    'access-control-request-method': 'POST',
    'access-control-request-headers': asked,
  }
  const answer = await service.get('/login', undefined, { method: 'OPTIONS', headers })
  t.equal(answer.headers['access-control-allow-headers'], asked)
  t.match(answer.headers.vary, /access-control-request-headers/i)
})

t.test('an app in a shell has an origin of a scheme of its own', async (t) => {
  const shells = ['capacitor://localhost', 'tauri://localhost', 'chrome-extension://abcdefghijklmnop']
  const service = await startService(t, { environment: { CORS_ORIGINS: shells.join() } })
  for (const origin of shells)
    t.equal((await service.get('/', undefined, { headers: { origin } })).headers[allowed], origin)
  for (const origin of ['capacitor://localhost:1', 'CAPACITOR://localhost', 'ionic://localhost', 'null'])
    t.notOk(allowed in (await service.get('/', undefined, { headers: { origin } })).headers, origin)
})

t.test('half a preflight request grants nothing', async (t) => {
  const service = await startService(t, { environment })
  const { status, text } = await service.get('/login', undefined, { method: 'OPTIONS' })
  t.equal(status, 204)
  t.equal(text, '')
})

t.test('a page can read what it needs beside the body', async (t) => {
  const service = await startService(t, { environment: { ...environment, RATE_LIMIT: 'on' } })
  const login = () =>
    service.post('/login', { username: 'ada', password: PASSWORD }, undefined, { headers: { origin: OURS } })
  let answer = await login()
  for (let count = 1; count < 200 && answer.body.code !== 'rate_limited'; count++) answer = await login()
  t.equal(answer.status, 429, 'also where a limit refuses, before any route is asked')
  t.equal(answer.headers[allowed], OURS)
  const exposed = String(answer.headers['access-control-expose-headers']).toLowerCase().split(', ')
  for (const name of ['retry-after', 'ratelimit', 'ratelimit-policy', 'x-request-id']) {
    t.ok(exposed.includes(name), name)
    t.ok(name in answer.headers, `${name} is there to be read`)
  }
  const refused = await service.get('/me', undefined, { headers: { origin: OURS } })
  t.ok(refused.headers['www-authenticate'])
  t.match(refused.headers['access-control-expose-headers'], /WWW-Authenticate/)
})

t.test('every method of the API passes a preflight', async (t) => {
  const service = await startService(t, { environment })
  for (const [method, url] of [
    ['GET', '/me'],
    ['POST', '/2fa/verify'],
    ['PUT', '/me/email'],
    ['DELETE', '/sessions/1'],
  ] as const) {
    const headers = { origin: OURS, 'access-control-request-method': method }
    const answer = await service.get(url, undefined, { method: 'OPTIONS', headers })
    t.equal(answer.status, 204, url)
    t.ok(String(answer.headers['access-control-allow-methods']).split(', ').includes(method), method)
    t.match(answer.headers.vary, /origin/i)
  }
})

// The attack: an origin that only looks like a listed one, to a comparison by prefix, suffix, pattern or case.
t.test('any other origin gets nothing', async (t) => {
  const service = await startService(t, { environment })
  const others = [
    'https://evil.example',
    `${OURS}.evil.example`,
    'https://evil-app.example.com',
    'https://app.example.com.',
    'https://appXexample.com',
    'https://sub.app.example.com',
    'https://example.com',
    'http://app.example.com',
    'HTTPS://APP.EXAMPLE.COM',
    `${OURS}/`,
    `${OURS}:443`,
    `${OURS}:8443`,
    `${OURS}@evil.example`,
    `${OURS}, https://evil.example`,
    'http://localhost',
    'http://localhost:51730',
    'null',
    '*',
    '',
  ]
  for (const origin of others) {
    const preflight = { origin, 'access-control-request-method': 'POST' }
    const answers = [
      await service.get('/', undefined, { headers: { origin } }),
      await service.get('/me', 'bad', { headers: { origin } }),
      await service.get('/login', undefined, { method: 'OPTIONS', headers: preflight }),
    ]
    t.notOk(
      answers.some(({ headers }) => allowed in headers),
      origin,
    )
  }
})

t.test('a cache never gives the answer for one origin to another', async (t) => {
  const service = await startService(t, { environment })
  for (const url of ['/.well-known/jwks.json', '/', '/me', '/nowhere'])
    for (const headers of [{}, { origin: OURS }, { origin: 'https://evil.example' }])
      t.match((await service.get(url, undefined, { headers })).headers.vary, /origin/i, url)
})

t.test('no answer lets a page send credentials of the browser', async (t) => {
  const service = await startService(t, { environment })
  for (const url of ['/', '/me', '/nowhere', '/.well-known/jwks.json']) {
    const { headers } = await service.get(url, undefined, { headers: { origin: OURS } })
    t.notOk('access-control-allow-credentials' in headers, url)
    t.equal(headers[allowed], OURS, 'and never the star')
  }
})

t.test('with no origins listed there are no such headers at all', async (t) => {
  const service = await startService(t)
  const headers = { origin: OURS, 'access-control-request-method': 'POST' }
  for (const answer of [
    await service.get('/', undefined, { headers }),
    await service.get('/me', undefined, { headers }),
    await service.get('/login', undefined, { method: 'OPTIONS', headers }),
  ])
    t.strictSame(
      Object.keys(answer.headers).filter((name) => name.startsWith('access-control')),
      [],
    )
})
