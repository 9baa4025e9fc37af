import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { browserMissing, launchBrowser } from '../helpers/programs/browser.ts'
import { freePort } from '../helpers/programs/free-port.ts'
import { nginxMissing, startLoggingNginx, startNginx, startNginxWith } from '../helpers/programs/nginx.ts'
import { remote } from '../helpers/programs/remote.ts'
import { openSwaggerUi } from '../helpers/programs/swagger-ui.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { exchange, listen } from '../helpers/requests/raw-socket.ts'
import { PASSWORD, startService } from '../helpers/service/service.ts'

/**
 * The load balancer of docker-compose.yml, before replicas of the test: it must not do anything twice that a person
 * did once, nor believe what strangers say of their address, nor speak otherwise than the service does.
 */

const withNginx = { skip: nginxMissing }

/** A replica that does this with each request, and remembers it. */
async function standIn(t: Test, handle: (request: IncomingMessage, response: ServerResponse) => void) {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    request.resume().on('end', () => handle(request, response))
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return { port: String((server.address() as AddressInfo).port), requests }
}

const dies = (request: IncomingMessage) => request.socket.destroy()
const answers = (_request: IncomingMessage, response: ServerResponse) => response.end('{}')

t.test('a POST that a replica has begun is not given to another', withNginx, async (t) => {
  const replicas = [await standIn(t, dies), await standIn(t, dies), await standIn(t, dies)]
  const ports = replicas.map(({ port }) => port)
  const answer = await remote(await startNginx(t, ports)).post('/2fa/verify', { code: '123456' })
  t.equal(replicas.flatMap(({ requests }) => requests).length, 1)
  t.match(
    answer,
    { status: 503, body: { code: 'unavailable' } },
    'whether it was done nobody knows, and that is said',
  )
})

t.test('a request that has reached nobody goes to another replica', withNginx, async (t) => {
  const alive = await standIn(t, answers)
  const ports = [String(await freePort()), String(await freePort()), alive.port]
  const service = remote(await startNginx(t, ports))
  for (let turn = 0; turn < 10; turn++) t.equal((await service.post('/login', {})).status, 200)
  t.equal(alive.requests.length, 10)
})

t.test('a GET that was cut off is asked again elsewhere', withNginx, async (t) => {
  const [dying, alive] = [await standIn(t, dies), await standIn(t, answers)]
  const service = remote(await startNginx(t, [dying.port, alive.port]))
  for (let turn = 0; turn < 10; turn++) t.equal((await service.get('/me')).status, 200)
  t.ok(dying.requests.length > 0)
})

t.test('a replica hears the address of the client, not what the client says of it', withNginx, async (t) => {
  const replica = await standIn(t, answers)
  const url = await startNginx(t, [replica.port])
  const forged = { 'x-forwarded-for': '203.0.113.1', 'x-forwarded-proto': 'https' }
  await remote(url, { from: '127.0.0.7' }).post('/login', {}, undefined, { headers: forged })
  t.match(replica.requests[0]?.headers, {
    'x-forwarded-for': /^127\.0\.0\.7$/,
    'x-forwarded-proto': /^http$/,
    host: new URL(url).host,
  })
})

t.test('what it says itself is a problem as the service would say it', withNginx, async (t) => {
  const service = remote(await startNginx(t, [String(await freePort())]))
  const gone = await service.post('/login', {})
  const problem = {
    type: '/problems#unavailable',
    status: 503,
    code: 'unavailable',
    request_id: /./,
  }
  t.match(gone, { status: 503, body: { ...problem, title: /./, detail: /./ } })
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' }
  t.match(gone.headers, { ...headers, 'retry-after': '1' })
  t.notMatch(gone.headers.server, /\d/)

  const large = await service.post('/login', { username: 'a'.repeat(100_000) })
  t.match(large, { status: 413, headers, body: { status: 413, code: 'payload_too_large', request_id: /./ } })
})

t.test('each of its own answers is a problem, under an id that its log has', withNginx, async (t) => {
  const { url, log } = await startLoggingNginx(t, [String(await freePort())])
  const port = Number(new URL(url).port)
  const get = 'GET /x?token=secret HTTP/1.1\r\nHost: a\r\n'
  const answers = {
    unavailable: await exchange(port, `${get}Connection: close\r\n\r\n`),
    bad_request: await exchange(port, 'GET /x HTTP/1.1\r\n\r\n'),
    method_not_allowed: await exchange(port, 'TRACE /x HTTP/1.1\r\nHost: a\r\n\r\n'),
    headers_too_large: await exchange(port, `${get}A: ${'a'.repeat(40_000)}\r\n\r\n`),
    payload_too_large: await exchange(port, `POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n`),
  } as const
  for (const [code, answer] of Object.entries(answers)) {
    isProblem(t, answer, code as keyof typeof answers)
    t.equal(answer.headers['x-request-id'], answer.body.request_id)
    await eventually(`${code} in the log`, () => log().includes(`"request_id":"${answer.body.request_id}"`))
  }
  t.match(answers.method_not_allowed.headers.allow, /POST/)
  const malformed = ['NONSENSE\r\n\r\n', 'GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n', `${get}Host: b\r\n\r\n`]
  const odd = ['GET /x HTTP/9.1\r\nHost: a\r\n\r\n', `${get}Transfer-Encoding: foo\r\n\r\n`]
  for (const bytes of [...malformed, ...odd]) isProblem(t, await exchange(port, bytes), 'bad_request', bytes)
  const own = log()
    .split('\n')
    .filter((line) => line.includes('answered by nginx'))
  t.notMatch(own.join(), /secret/)
  t.match(JSON.parse(own[0] ?? ''), { ip: '127.0.0.1', method: 'GET', status: 503 })
})

const ACCORDING_TO_DOCS = /```nginx\n(.*?)```/s.exec(readFileSync('docs/production.md', 'utf8'))?.[1] ?? ''

t.test(
  'behind a path, everything that the service names is below it, in a browser too',
  {
    skip: nginxMissing || browserMissing,
  },
  async (t) => {
    const service = await startService(t, {
      environment: { ISSUER: 'http://site.test/auth', TRUST_PROXY: '127.0.0.1' },
    })
    const { port } = await listen(service)
    const site = await startNginxWith(t, ACCORDING_TO_DOCS, String(port))
    const ui = await openSwaggerUi(t, await launchBrowser(t), `${site}/auth/docs`)
    t.match(await ui.executeJson('register', { body: { username: 'ada', password: PASSWORD } }), {
      mfa_required: true,
    })
    t.same([ui.complaints, ui.foreignRequests], [[], []])
    const { links } = (await remote(site).get('/auth/')).body
    for (const link of Object.values<string>(links)) t.equal((await remote(site).get(link)).status, 200, link)
    const wellKnown = await remote(site).get('/.well-known/oauth-authorization-server/auth')
    t.equal(wellKnown.body.issuer, service.config.issuer, 'RFC 8414 section 3.1')
  },
)

t.test('what the service says goes through as it is', withNginx, async (t) => {
  const overloaded = '{"code":"overloaded"}'
  const replica = await standIn(t, (_request, response) =>
    response
      .writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '7' })
      .end(overloaded),
  )
  const answer = await remote(await startNginx(t, [replica.port])).post('/login', {})
  t.match(answer, { status: 503, text: overloaded, headers: { 'retry-after': '7' } })
  t.equal(replica.requests.length, 1)
})
