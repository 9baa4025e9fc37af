import t from 'tap'
import { isProblem } from '../helpers/requests/problems.ts'
import { exchange, listen } from '../helpers/requests/raw-socket.ts'
import { enrol, PASSWORD, register, startService } from '../helpers/service/service.ts'

/**
 * A token in a shared cache, an answer framed by a foreign page, a type guessed by a browser: what an answer
 * says about itself prevents these, so every answer says it, errors included.
 */
const ALWAYS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-request-id': /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/,
}

t.test('every answer that is data carries the security headers', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const { mfaToken } = await register(service, 'grace')
  const answers = {
    'a page of links': await service.get('/'),
    'a health check': await service.get('/readyz'),
    'an account made': await service.post('/register', { username: 'joan', password: PASSWORD }),
    'an mfa token': await service.post('/login', { username: 'ada', password: PASSWORD }),
    'a secret': await service.post('/2fa/setup', undefined, mfaToken),
    'a picture': await service.post('/2fa/setup', undefined, mfaToken, { headers: { accept: 'image/png' } }),
    'an account': await service.get('/me', ada.accessToken),
    'bad JSON': await service.post('/login', undefined, undefined, {
      payload: '{',
      headers: { 'content-type': 'application/json' },
    }),
    'a wrong password': await service.post('/login', { username: 'ada', password: 'wrong' }),
    'no token': await service.get('/me'),
    'a wrong code': await service.post('/2fa/verify', { code: '1' }, mfaToken),
    'a path that is not there': await service.get('/nowhere'),
    'a path that cannot be decoded': await service.get('/%zz'),
    'a wrong method': await service.get('/login'),
  }
  for (const [what, { headers }] of Object.entries(answers)) t.match(headers, ALWAYS, what)
})

t.test('only behind https a browser is told to stay with it, and for this host alone', async (t) => {
  const service = await startService(t, { environment: { ISSUER: 'https://example.com/auth' } })
  const { port } = await listen(service)
  const answers = [
    await service.get('/'),
    await service.get('/%zz'),
    await service.get('/docs/'),
    await exchange(port, 'NONSENSE\r\n\r\n'),
  ]
  for (const { headers } of answers) t.equal(headers['strict-transport-security'], 'max-age=31536000')
  const plain = await startService(t)
  t.notOk('strict-transport-security' in (await plain.get('/')).headers)
})

t.test('the key set may be kept and read from any origin', async (t) => {
  const service = await startService(t)
  const { headers } = await service.get('/.well-known/jwks.json')
  t.match(headers, {
    ...ALWAYS,
    'cache-control': /^public, max-age=\d+$/,
    'cross-origin-resource-policy': 'cross-origin',
  })
})

t.test('the documentation is a page of this origin alone', async (t) => {
  const service = await startService(t)
  const { status, headers } = await service.get('/docs/')
  t.equal(status, 200)
  const csp = String(headers['content-security-policy'])
  t.match(csp, /default-src 'none'/)
  t.match(csp, /script-src 'self'(;|$)/)
  t.notMatch(csp, /unsafe|https?:|\*/)
  t.match(headers, { 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' })
})

t.test('nothing tells which software answers', async (t) => {
  const service = await startService(t)
  const { headers } = await service.get('/')
  for (const name of ['server', 'x-powered-by']) t.notOk(name in headers)
})

t.test('a request id of the client is not taken over', async (t) => {
  const service = await startService(t)
  const headers = { 'x-request-id': 'mine', 'request-id': 'mine' }
  t.not((await service.get('/', undefined, { headers })).headers['x-request-id'], 'mine')
})

t.test('what never became a request is answered like everything else', async (t) => {
  const service = await startService(t)
  const { port } = await listen(service)
  const answers = {
    bad_request: await exchange(port, 'NONSENSE\r\n\r\n'),
    headers_too_large: await exchange(port, `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`),
  } as const
  for (const [code, answer] of Object.entries(answers)) {
    isProblem(t, answer, code as keyof typeof answers)
    t.match(answer.headers, ALWAYS)
  }
})
