// The fault: the server restarts under the service, in order or by a crash.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { outcomeOf, tally } from '../helpers/burst.ts'
import { notOnPostgres, prepareServer } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { startCluster } from '../helpers/postgres.ts'
import { type Answer, enrol, startService } from '../helpers/service.ts'
import { refresh } from '../helpers/sessions.ts'

const skip = notOnPostgres

for (const [how, signal] of [
  ['stopped', 'SIGINT'],
  ['killed', 'SIGQUIT'],
] as const)
  t.test(`a server that is ${how} and started anew loses nothing that was answered`, { skip }, async (t) => {
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
        const answer = await refresh(service, latest.get(username) as string)
        answers.push(answer)
        if (answer.status === 200) latest.set(username, answer.body.refresh_token)
        await sleep(5)
      }
    })
    await sleep(300)
    await cluster.restart(signal)
    const restartedAt = performance.now()
    await eventually('the service is ready', async () => (await service.get('/readyz')).status === 200)
    const seconds = (performance.now() - restartedAt) / 1000
    await sleep(300)
    going = false
    await Promise.all(traffic)

    const { 200: good = 0, '503 unavailable': unavailable = 0, ...others } = tally(answers)
    t.comment(`${good} answered, ${unavailable} unavailable, ready again after ${seconds.toFixed(2)} s`)
    t.ok(good > 10)
    t.strictSame(others, {}, 'nothing else is answered')
    t.ok(seconds < 5)
    for (const token of latest.values()) t.equal(outcomeOf(await refresh(service, token)), '200')
  })
