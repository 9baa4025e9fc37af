import t from 'tap'
import { sparesConnections } from '../../src/http/connections.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { exchange, listen, openSocket, parseAnswer, readToEnd } from '../helpers/requests/raw-socket.ts'
import { enrol, PASSWORD, register, startService } from '../helpers/service/service.ts'

/** HTTP as the libraries of other languages, balancers and shells speak it: odd, and right by the RFCs. */

t.test('a body that is not there has no type', async (t) => {
  const service = await startService(t)
  const { mfaToken } = await register(service)
  const { port } = await listen(service)
  const head = (type: string) =>
    `POST /2fa/setup HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${mfaToken}\r\nContent-Type: ${type}\r\n`
  const types = ['application/json', 'application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data']
  for (const type of [...types, 'application/octet-stream', 'nonsense'])
    for (const framing of ['Content-Length: 0\r\n\r\n', '\r\n'])
      t.equal((await exchange(port, head(type) + framing)).status, 200, `${type}, ${framing.trim()}`)
  for (const type of types) {
    const chunked = `${head(type)}Transfer-Encoding: chunked\r\n\r\n`
    t.equal((await exchange(port, `${chunked}0\r\n\r\n`)).status, 200, `${type} in no chunks`)
    const answer = await exchange(port, `${chunked}1\r\n{\r\n0\r\n\r\n`)
    isProblem(t, answer, type === 'application/json' ? 'malformed_json' : 'unsupported_media_type')
  }
})

t.test('null for an optional member is the same as leaving it out', async (t) => {
  const service = await startService(t)
  const { body } = await service.post('/register', { username: 'ada', password: PASSWORD, email: null })
  t.equal(body.user.email, null)
  const setUp = await service.post('/2fa/setup', { name: null, replaces: null }, body.mfa_token)
  t.equal(setUp.status, 200)
  isProblem(
    t,
    await service.post('/2fa/verify', { code: '000000', method: null }, body.mfa_token),
    'invalid_code',
  )
  const answer = { code: '000000', credential: null }
  isProblem(t, await service.post('/2fa/verify', answer, body.mfa_token), 'invalid_code', 'of another method')
  const unknown = await service.post('/2fa/verify', { ...answer, admin: null }, body.mfa_token)
  t.match(unknown.body.errors, [{ code: 'unknown_member', pointer: '/admin' }])
  const login = { username: 'ada', password: PASSWORD, recovery_code: null }
  t.equal((await service.post('/login', login)).status, 200)
  const missing = await service.post('/login', { username: null, password: PASSWORD })
  isProblem(t, missing, 'validation_failed', 'one that is not optional is missing')
  t.match(missing.body.errors, [{ pointer: '/username' }])
  isProblem(t, await service.post('/logout', { refresh_token: null }), 'invalid_token')
  isProblem(t, await service.post('/login', { ...login, admin: null }), 'validation_failed', 'an unknown one')
})

t.test('the OpenAPI document says which members may be null', async (t) => {
  const { paths } = (await (await startService(t)).get('/openapi.json')).body
  const body = (path: string) => paths[path].post.requestBody.content['application/json'].schema
  const { email, username } = body('/register').properties
  t.match(email.anyOf, [{ type: 'string' }, { type: 'null' }])
  t.equal(username.type, 'string')
  const answers: { properties: { method: object } }[] = body('/2fa/verify').anyOf
  t.match(
    answers.map(({ properties }) => properties.method).filter((method) => 'anyOf' in method),
    [{ anyOf: [{ enum: ['totp'] }, { type: 'null' }] }],
    'the method that an answer need not name',
  )
})

t.test('a byte order mark before a body is skipped (RFC 8259 section 8.1)', async (t) => {
  const service = await startService(t)
  const payload = `\ufeff${JSON.stringify({ username: 'ada', password: PASSWORD })}`
  const headers = { 'content-type': 'application/json' }
  t.equal((await service.post('/register', undefined, undefined, { payload, headers })).status, 201)
})

t.test('a request names its host, and once (RFC 9112 section 3.2)', async (t) => {
  const { port } = await listen(await startService(t))
  const request = (version: string, ...hosts: string[]) =>
    `GET /livez HTTP/${version}\r\n${hosts.map((host) => `Host: ${host}\r\n`).join('')}Connection: close\r\n\r\n`
  isProblem(t, await exchange(port, request('1.1')), 'bad_request', 'no host')
  isProblem(t, await exchange(port, request('1.1', 'a', 'b')), 'bad_request', 'two')
  isProblem(t, await exchange(port, request('1.1', 'a', 'a')), 'bad_request', 'the same twice')
  t.equal((await exchange(port, request('1.1', 'a'))).status, 200)
  t.equal((await exchange(port, request('1.0'))).status, 200, 'before HTTP/1.1 there was none')
})

t.test('an idle connection is kept for as long as KEEP_ALIVE_SECONDS says', async (t) => {
  for (const seconds of [75, 620]) {
    const environment = { KEEP_ALIVE_SECONDS: String(seconds) }
    const { port } = await listen(await startService(t, { environment }))
    const socket = await openSocket(port)
    const answered = readToEnd(socket)
    socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
    socket.once('data', () => socket.end())
    t.equal(parseAnswer(await answered).headers['keep-alive'], `timeout=${seconds}`)
  }
})

t.test('idle connections are given up earlier only when there are very many', async (t) => {
  const service = await startService(t)
  const { port } = await listen(service)
  sparesConnections(service.app.server, 3)
  const idle = async () => {
    const socket = await openSocket(port)
    socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
    const [answer] = await Promise.all([new Promise<Buffer>((resolve) => socket.once('data', resolve))])
    return { socket, kept: parseAnswer(answer.toString()).headers['keep-alive'] }
  }
  const first = await idle()
  const second = await idle()
  t.strictSame([first.kept, second.kept], ['timeout=75', 'timeout=75'])
  const third = await idle()
  await Promise.all([readToEnd(first.socket), readToEnd(second.socket)])
  t.equal(third.socket.closed, false, 'the one that had just come is served')
  await eventually('there is room again', () => service.app.server.keepAliveTimeout === 75_000)
  third.socket.end()
})

t.test('a proxy that names no client is told of by /readyz', async (t) => {
  const service = await startService(t, { environment: { TRUST_PROXY: '127.0.0.1' } })
  const { username } = await enrol(service)
  const warnings = async () => (await service.get('/readyz')).body.warnings ?? []
  const login = (headers: Record<string, string>, remoteAddress = '127.0.0.1') =>
    service.post('/login', { username, password: PASSWORD }, undefined, { headers, remoteAddress })
  service.clock.advance(3600)
  for (const headers of [{ 'x-forwarded-for': '203.0.113.1' }, { forwarded: 'for=203.0.113.1' }])
    await login(headers as Record<string, string>)
  await login({}, '203.0.113.1')
  t.strictSame(await warnings(), [])
  await login({ 'x-real-ip': '203.0.113.1' })
  t.match(await warnings(), [/names does not say who its clients are/])
})
