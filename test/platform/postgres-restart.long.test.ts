// The fault: the server restarts under the service, in order or by a crash.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startCluster } from '../helpers/programs/postgres.ts'
import { outcomeOf, tally } from '../helpers/requests/burst.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { notOnPostgres, prepareServer } from '../helpers/service/database.ts'
import { type Answer, enrol, type Service, startService } from '../helpers/service/service.ts'

const skip = notOnPostgres

/** With a key of its own for each token: the answer to a repeat is the same, however late it comes. */
const send = (service: Service, token: string) =>
  service.post('/token/refresh', { refresh_token: token }, undefined, {
    headers: { 'idempotency-key': token },
  })

for (const [how, signal] of [
  ['stopped', 'SIGINT'],
  ['killed', 'SIGQUIT'],
] as const)
  t.test(`a server that is ${how} and started again loses nothing that was answered`, { skip }, async (t) => {
    // One that may forget what it has confirmed, by its own defaults.
    const cluster = await startCluster()
    t.teardown(() => cluster.stop())
    await prepareServer(cluster.url('postgres'))
    const service = await startService(t, { databaseUrl: cluster.url('keyturn_template') })
    const people = []
    for (const name of ['ada', 'grace', 'edsger', 'barbara']) people.push(await enrol(service, name))

    let going = true
    const answers: Answer[] = []
    const latest = new Map(people.map(({ username, refreshToken }) => [username, refreshToken]))
    const traffic = people.map(async ({ username }) => {
      while (going) {
        const answer = await send(service, latest.get(username) as string)
        answers.push(answer)
        if (answer.status === 200) {
          latest.set(username, answer.body.refresh_token)
          // A session has ten refreshes a minute.
          service.clock.advance(7)
        }
        await sleep(5)
      }
    })
    const served = () => answers.filter(({ status }) => status === 200).length
    const twentyMore = (before = served()) => eventually('people are served', () => served() >= before + 20)
    await twentyMore()
    await cluster.restart(signal)
    await eventually('the service is ready', async () => (await service.get('/readyz')).status === 200)
    await twentyMore()
    going = false
    await Promise.all(traffic)

    const { 200: good = 0, '503 unavailable': unavailable = 0, ...others } = tally(answers)
    t.comment(`${good} answered, ${unavailable} unavailable`)
    t.strictSame(others, {}, 'nothing else is answered')
    for (const token of latest.values()) t.equal(outcomeOf(await send(service, token)), '200')
  })
