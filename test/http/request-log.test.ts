import { once } from 'node:events'
import t from 'tap'
import { eventually } from '../helpers/requests/eventually.ts'
import { listen, openSocket } from '../helpers/requests/raw-socket.ts'
import { holdableHashes } from '../helpers/service/held-hashes.ts'
import { RULE_NAMES } from '../helpers/service/invariants.ts'
import { enrol, PASSWORD, register, type Service, startService } from '../helpers/service/service.ts'

/** An operator must find each request by its id, and nobody who reads the log may find a secret that was in a URL. */

function requestLines(service: Service) {
  return service.logLines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request')
}

t.test('each request leaves one line with its id, route, status and time', async (t) => {
  const service = await startService(t, { logLevel: 'info' })
  const { accessToken, id } = await enrol(service)
  const asked = [
    [await service.get('/me?q=1', accessToken), 'GET', '/me', 200],
    [await service.get('/me'), 'GET', '/me', 401],
    [await service.post('/login', { username: 'ada', password: PASSWORD }), 'POST', '/login', 200],
    [await service.post('/login', {}), 'POST', '/login', 400],
    [await service.get('/login'), 'GET', '/login', 405],
    [await service.get('/nowhere'), 'GET', null, 404],
    [await service.get('/%zz'), 'GET', null, 404],
  ] as const
  const lines = requestLines(service)
  for (const [answer, method, route, status] of asked) {
    const own = lines.filter(({ request_id }) => request_id === answer.headers['x-request-id'])
    t.equal(own.length, 1, `${method} ${route} ${status}: one line`)
    t.match(own[0], { level: 'info', method, route, status, ip: '127.0.0.1', ms: Number, time: String })
  }
  const problem = lines.find(({ status }) => status === 405)
  t.equal(problem.problem, 'method_not_allowed', 'a refusal is named')
  t.equal(lines.find(({ route }) => route === '/me').account_id, id, 'and the account, once it is known')
})

t.test('a URL is not logged: somebody may have pasted a token into it', async (t) => {
  const service = await startService(t, { logLevel: 'trace' })
  const secret = 'planted-6f1c0e5d'
  for (const url of [`/${secret}`, `/me?access_token=${secret}`, `/login/${secret}`, `/%zz${secret}`]) {
    await service.get(url)
    await service.post(url, { [secret]: 1 })
  }
  t.notMatch(service.logLines.join(''), secret)
  t.equal(requestLines(service).length, 8)
})

t.test('a fault of ours is logged with its stack and its request, and told to nobody', async (t) => {
  const service = await startService(t, { spared: RULE_NAMES })
  await service.db.destroy()
  const answer = await service.post('/login', { username: 'ada', password: PASSWORD })
  t.ok(answer.status >= 500)
  t.notMatch(answer.text, /destroyed|driver|node:|\.ts/)
  const logged = service.logLines
    .map((line) => JSON.parse(line))
    .find(({ request_id, level }) => level === 'error' && request_id === answer.body.request_id)
  t.match(logged, { err: { stack: /\n +at / } })
})

t.test('a client that hangs up leaves one line with its address and route, and no error', async (t) => {
  const hashes = holdableHashes()
  const service = await startService(t, {
    logLevel: 'info',
    environment: { HASH_CONCURRENCY: '1', HASH_QUEUE: '1' },
    instruments: [hashes.instrument],
  })
  const { port } = await listen(service)
  await register(service)
  const body = JSON.stringify({ username: 'ada', password: PASSWORD })
  const head = `POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  const gone = () => requestLines(service).filter(({ status }) => status === 499)

  const within = await openSocket(port)
  const seen = once(service.app.server, 'request')
  within.write(head + body.slice(0, 5))
  await seen
  within.resetAndDestroy()
  await eventually('the line of the first', () => gone().length === 1)

  hashes.hold()
  const before = await openSocket(port)
  before.write(head + body)
  await hashes.until({ running: 1, waiting: 0 })
  before.end()
  before.destroy()
  await eventually('the line of the second', () => gone().length === 2)
  hashes.release()
  await service.get('/me')

  for (const line of gone()) t.match(line, { method: 'POST', route: '/login', ip: '127.0.0.1', ms: Number })
  t.equal(requestLines(service).filter(({ route }) => route === '/login').length, 2, 'and no other line')
  t.strictSame(
    service.logLines.filter((line) => /"level":"(error|warn)"/.test(line)),
    [],
  )
})
