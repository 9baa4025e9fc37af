import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { isProblem } from '../helpers/problems.ts'
import { exchangeText, listen, openSocket } from '../helpers/raw-socket.ts'
import { PASSWORD, register, type Service, startService } from '../helpers/service.ts'

/** E-12: more passwords than the machine can hash. The excess is told so at once, before it costs anything. */

/** Hashes slow enough to be caught at it. */
const SLOW = { ARGON2_MEMORY_KIB: '65536', ARGON2_TIME: '6', HASH_CONCURRENCY: '1' }

const startSlow = (t: Test, queue: number, passes = SLOW.ARGON2_TIME) =>
  startService(t, { environment: { ...SLOW, ARGON2_TIME: passes, HASH_QUEUE: String(queue) } })

const knock = (service: Service, username: string, password = 'wrong password') =>
  service.post('/login', { username, password })

t.test('what the queue does not hold is refused at once, at login and at registration', async (t) => {
  const service = await startSlow(t, 0, '16')
  const running = knock(service, 'first')
  await sleep(20)
  let finished = false
  running.then(() => {
    finished = true
  })
  isProblem(t, await knock(service, 'second'), 'overloaded')
  const registration = { username: 'grace', password: PASSWORD }
  isProblem(t, await service.post('/register', registration), 'overloaded')
  t.notOk(finished, 'while the first is still being hashed')
  isProblem(t, await running, 'invalid_credentials', 'the one that runs is not disturbed')
  t.equal((await service.post('/register', registration)).status, 201, 'and a moment later there is room')
})

t.test('of a burst as many are served as run and wait, and everything else goes on', async (t) => {
  const service = await startSlow(t, 3)
  const burst = Promise.all(Array.from({ length: 20 }, (_, i) => knock(service, `user-${i}`)))
  await sleep(50)
  const startedAt = performance.now()
  t.equal((await service.get('/readyz')).status, 200)
  t.ok(performance.now() - startedAt < 1000)
  const statuses = (await burst).map(({ status }) => status).sort()
  t.strictSame(statuses, [...Array(4).fill(401), ...Array(16).fill(503)])
})

t.test('what is refused for overload is not read first, and nobody is asked for a token less', async (t) => {
  const service = await startSlow(t, 0, '16')
  const running = knock(service, 'first')
  await sleep(20)
  isProblem(t, await service.post('/login', { username: 4 }), 'overloaded')
  isProblem(t, await service.post('/password/change', {}), 'invalid_token')
  await running
  isProblem(t, await service.post('/login', { username: 4 }), 'validation_failed')
})

t.test('a refusal leaves the connection to whoever has said everything, and ends it otherwise', async (t) => {
  const service = await startSlow(t, 0, '16')
  const { port } = await listen(service)
  const running = knock(service, 'first')
  await sleep(20)
  const head = (length: number) =>
    `POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`
  const livez = 'GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
  const [whole, unfinished, tooLong] = await Promise.all(
    [`${head(2)}{}${livez}`, `${head(16_000)}{`, `${head(17_000)}{`].map((bytes) =>
      exchangeText(port, bytes),
    ),
  )
  t.match(whole, /^HTTP\/1\.1 503 [\s\S]*HTTP\/1\.1 200 OK/)
  t.match(unfinished, /^HTTP\/1\.1 503 [\s\S]*connection: close/)
  t.notMatch(unfinished, /408/, 'and nothing comes after that')
  t.match(tooLong, /^HTTP\/1\.1 413 /)
  await running
})

t.test('a login that was refused for overload does not count as a wrong password', async (t) => {
  const service = await startSlow(t, 0)
  await register(service)
  const running = knock(service, 'somebody')
  await sleep(20)
  const refused = await Promise.all(Array.from({ length: 15 }, () => knock(service, 'ada')))
  for (const answer of refused) isProblem(t, answer, 'overloaded')
  await running
  const failures = await service.db.selectFrom('failure_counters').select('failures').execute()
  // For the name from one network, and for the name from all.
  t.strictSame(
    failures.map((row) => row.failures).sort(),
    [1, 1],
    'only the wrong password was counted, and the database has not heard of the others',
  )
  t.equal((await knock(service, 'ada', PASSWORD)).status, 200)
})

t.test('a client that goes away while it waits makes room for the next (E-13)', async (t) => {
  // Time for five requests one after the other, also on a busy machine, while one hash goes on.
  const service = await startSlow(t, 1, '16')
  const { port } = await listen(service)
  const running = knock(service, 'first')
  await sleep(20)

  const body = JSON.stringify({ username: 'impatient', password: 'wrong password' })
  const socket = await openSocket(port)
  socket.write(
    `POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  await sleep(40)
  isProblem(t, await knock(service, 'third'), 'overloaded', 'the one place to wait is taken')
  socket.destroy()
  await once(socket, 'close')
  await sleep(40)
  const next = knock(service, 'fourth')
  await sleep(20)
  isProblem(t, await knock(service, 'fifth'), 'overloaded', 'it is taken again')
  isProblem(t, await running, 'invalid_credentials')
  isProblem(t, await next, 'invalid_credentials', 'by the one who came after')

  const { failures } = await service.db
    .selectFrom('failure_counters')
    .select((eb) => eb.fn.sum<number>('failures').as('failures'))
    .executeTakeFirstOrThrow()
  t.equal(failures, 2 * 2, 'and the one who left is not counted')
})

t.test('many requests over one connection leave nothing behind on it', async (t) => {
  const service = await startService(t)
  const { url } = await listen(service)
  const warnings: Error[] = []
  process.on('warning', (warning) => warnings.push(warning))
  const sockets = new Set<unknown>()
  service.app.server.on('connection', (socket) => sockets.add(socket))
  for (let i = 0; i < 30; i++)
    await fetch(`${url}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: `user-${i}`, password: 'wrong password' }),
    }).then((response) => response.text())
  t.ok(sockets.size < 10, `${sockets.size} connections for 30 requests`)
  for (const socket of sockets) t.ok((socket as NodeJS.EventEmitter).listenerCount('close') < 10)
  t.strictSame(warnings, [])
})
