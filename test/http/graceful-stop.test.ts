import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { PASSWORD } from '../helpers/service/service.ts'

/** A process that is replaced by a newer one must not cost a person an answer, nor an answer its truth. */

// They mostly wait.
t.jobs = 2

t.test(
  'SIGTERM under load: it announces its end, answers what it has begun, and keeps what it said',
  async (t) => {
    const environment = { ...(await sharedEnvironment(t)), HASH_QUEUE: '10000' }
    const server = await startProcess(t, environment)
    let ending = false
    // Also when something fails before.
    t.teardown(() => {
      ending = true
    })
    const acknowledged: string[] = []
    const refused: number[] = []
    const clients = Array.from({ length: 8 }, async (_, client) => {
      for (let turn = 0; ; turn++) {
        const username = `client-${client}-${turn}`
        const answer = await server.post('/register', { username, password: PASSWORD }).catch(() => null)
        if (answer === null && ending) return
        if (answer?.status === 201) acknowledged.push(username)
        else refused.push(answer?.status ?? 0)
      }
    })
    while (acknowledged.length < 20) await sleep(10)

    const stopped = server.stop('SIGTERM')
    while ((await server.get('/readyz')).status === 200) await sleep(5)
    const before = acknowledged.length
    t.match(await server.get('/readyz'), { status: 503, body: { code: 'unavailable' } })
    t.equal((await server.get('/livez')).status, 200, 'it still lives')
    while (acknowledged.length === before) await sleep(5)
    t.pass('and still serves')
    ending = true

    t.equal(await stopped, 0)
    await Promise.all(clients)
    t.strictSame(refused, [], 'nothing was answered but by a success')

    const next = await startProcess(t, environment)
    const lost = await Promise.all(
      acknowledged.map(async (username) => {
        const { status } = await next.post('/register', { username, password: PASSWORD })
        return status === 409 ? [] : [username]
      }),
    )
    t.strictSame(lost.flat(), [], `none of ${acknowledged.length} acknowledged registrations`)
  },
)

t.test('clients that never finish do not hold it', { buffered: true }, async (t) => {
  const server = await startProcess(t, await sharedEnvironment(t))
  const head = 'POST /login HTTP/1.1\r\nHost: id.example\r\n'
  for (const bytes of ['', head, `${head}Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{`]) {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => {})
    t.teardown(() => socket.destroy())
    socket.write(bytes)
  }
  // It takes connections in the order in which they come.
  t.equal((await server.get('/livez')).status, 200)
  t.equal(await server.stop('SIGINT'), 0)
})
