import t, { type Test } from 'tap'
import { eventually } from '../helpers/requests/eventually.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { exchangeText, listen, openSocket } from '../helpers/requests/raw-socket.ts'
import { holdableHashes } from '../helpers/service/held-hashes.ts'
import { PASSWORD, register, type Service, startService } from '../helpers/service/service.ts'

/** More passwords than the machine can hash. The excess is told so at once, before it costs anything. */

/** A service that has a hash under way already, to which the test holds on, and room for so many to wait. */
async function startBusy(t: Test, queue: number, prepare: (service: Service) => unknown = () => {}) {
  const hashes = holdableHashes()
  const service = await startService(t, {
    environment: { HASH_CONCURRENCY: '1', HASH_QUEUE: String(queue) },
    instruments: [hashes.instrument],
  })
  await prepare(service)
  hashes.hold()
  const running = knock(service, 'first')
  await hashes.until({ running: 1, waiting: 0 })
  return { service, hashes, running }
}

const knock = (service: Service, username: string, password = 'wrong password') =>
  service.post('/login', { username, password })

t.test('what the queue does not hold is refused at once, at login and at registration', async (t) => {
  const { service, hashes, running } = await startBusy(t, 0)
  isProblem(t, await knock(service, 'second'), 'overloaded')
  const registration = { username: 'grace', password: PASSWORD }
  isProblem(t, await service.post('/register', registration), 'overloaded')
  t.equal(hashes.running(), 1, 'while the first is still being hashed')
  hashes.release()
  isProblem(t, await running, 'invalid_credentials', 'the one that runs is not disturbed')
  t.equal((await service.post('/register', registration)).status, 201, 'and a moment later there is room')
})

t.test('of a burst as many are served as run and wait, and everything else goes on', async (t) => {
  const { service, hashes, running } = await startBusy(t, 3)
  let refused = 0
  const burst = Array.from({ length: 19 }, async (_, i) => {
    const { status } = await knock(service, `user-${i}`)
    if (status === 503) refused += 1
    return status
  })
  await eventually('sixteen are refused', () => refused === 16)
  await hashes.until({ running: 1, waiting: 3 })
  t.equal((await service.get('/readyz')).status, 200)
  hashes.release()
  isProblem(t, await running, 'invalid_credentials')
  const statuses = (await Promise.all(burst)).sort()
  t.strictSame(statuses, [...Array(3).fill(401), ...Array(16).fill(503)])
})

t.test('what is refused for overload is not read first, and nobody is asked for a token less', async (t) => {
  const { service, hashes, running } = await startBusy(t, 0)
  isProblem(t, await service.post('/register', { username: 4 }), 'overloaded')
  isProblem(t, await service.post('/password/change', {}), 'invalid_token')
  hashes.release()
  await running
  isProblem(t, await service.post('/register', { username: 4 }), 'validation_failed')
})

t.test('a refusal leaves the connection to whoever has said everything, and ends it otherwise', async (t) => {
  const { service, hashes, running } = await startBusy(t, 0)
  const { port } = await listen(service)
  const head = (length: number) =>
    `POST /register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`
  const livez = 'GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
  const [whole, unfinished, tooLong] = await Promise.all(
    [`${head(2)}{}${livez}`, `${head(16_000)}{`, `${head(17_000)}{`].map((bytes) =>
      exchangeText(port, bytes),
    ),
  )
  t.match(whole, /^HTTP\/1\.1 503 [\s\S]*HTTP\/1\.1 200 OK/)
  t.match(unfinished, /^HTTP\/1\.1 503 [\s\S]*connection: close/)
  t.notMatch(unfinished, /HTTP\/1\.1 408/, 'and nothing comes after that')
  t.match(tooLong, /^HTTP\/1\.1 413 /)
  hashes.release()
  await running
})

t.test('a login that was refused for overload does not count as a wrong password', async (t) => {
  const { service, hashes, running } = await startBusy(t, 0, register)
  const refused = await Promise.all(Array.from({ length: 15 }, () => knock(service, 'ada')))
  for (const answer of refused) isProblem(t, answer, 'overloaded')
  hashes.release()
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

t.test('a client that goes away while it waits makes room for the next', async (t) => {
  const { service, hashes, running } = await startBusy(t, 1)
  const { port } = await listen(service)
  const body = JSON.stringify({ username: 'impatient', password: 'wrong password' })
  const socket = await openSocket(port)
  socket.write(
    `POST /register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  await hashes.until({ running: 1, waiting: 1 })
  isProblem(t, await knock(service, 'third'), 'overloaded', 'the one place to wait is taken')
  socket.destroy()
  await hashes.until({ running: 1, waiting: 0 })
  const next = knock(service, 'fourth')
  await hashes.until({ running: 1, waiting: 1 })
  isProblem(t, await knock(service, 'fifth'), 'overloaded', 'it is taken again')
  hashes.release()
  isProblem(t, await running, 'invalid_credentials')
  isProblem(t, await next, 'invalid_credentials', 'by the one who came after')

  const uncounted = async () => {
    const { failures } = await service.db
      .selectFrom('failure_counters')
      .select((eb) => eb.fn.sum<number>('failures').as('failures'))
      .executeTakeFirstOrThrow()
    return Number(failures) === 2 * 2
  }
  await eventually('the one who left is not counted', uncounted)
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
