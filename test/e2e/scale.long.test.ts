import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { RATE_LIMITS } from '../../src/http/rate-limits.ts'
import { type Life, live } from '../helpers/people/lives.ts'
import { type Remote, remote } from '../helpers/programs/remote.ts'
import { type Scale, scaleMissing, startScale } from '../helpers/programs/scale.ts'
import { outcomeOf, tally } from '../helpers/requests/burst.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { type Answer, PASSWORD } from '../helpers/service/service.ts'

/**
 * Any replica answers any request, and killing one loses nothing: nginx, three replicas, PostgreSQL with a standby, and
 * Redis, under people who go all the way while one after another of them is killed with -9, restarted, or replaced.
 */

t.setTimeout(1_800_000)

const CLIENTS = 8
/** After a fault everything is as before when so many answers follow each other without a failure. */
const ANSWERS_OF_PEACE = 20 * CLIENTS

/** Addresses of this machine that are the client's alone. */
let clients = 0
function newClient(url: string): Remote {
  clients++
  return remote(url, { from: `127.10.${clients >> 8}.${clients & 255}` })
}

interface Failure {
  call: string
  answer: Answer
}

/** Lives that follow each other, several at a time, until they are told to end. */
function populate(scale: Scale) {
  const lives: Life[] = []
  const failures: Failure[] = []
  const wrong: string[] = []
  const seen = { served: 0, inARow: 0 }
  let ending = false
  const witness = {
    done() {
      seen.served++
      seen.inARow++
    },
    failed(call: string, answer: Answer) {
      seen.inARow = 0
      failures.push({ call, answer })
    },
    wrong: (call: string, answer: Answer) => void wrong.push(`${call}: ${outcomeOf(answer)}`),
  }
  let turn = 0
  const elsewhere = () => {
    turn++
    return newClient(scale.replicas[turn % scale.replicas.length]?.url ?? '')
  }

  async function client(): Promise<void> {
    while (!ending) {
      const life: Life = {
        username: `p-${randomUUID()}`,
        enrolled: false,
        accessToken: '',
        refreshToken: '',
        used: new Map(),
      }
      lives.push(life)
      await live(newClient(scale.url), elsewhere, life, witness)
      await sleep(50)
    }
  }

  const running = Promise.all(Array.from({ length: CLIENTS }, client))
  return {
    lives,
    failures,
    wrong,
    seen,
    async end() {
      ending = true
      await running
    },
  }
}
type Population = ReturnType<typeof populate>

/** Lets something happen to the service, and says what people saw of it. */
async function during(t: Test, people: Population, what: string, happen: () => Promise<void>): Promise<void> {
  const before = { failures: people.failures.length, served: people.seen.served }
  await happen()
  people.seen.inARow = 0
  await eventually(`${what}: everything is as before`, () => people.seen.inARow >= ANSWERS_OF_PEACE)
  const failures = people.failures.slice(before.failures)
  const answers = Object.entries(tally(failures.map(({ answer }) => answer))).map(
    ([name, times]) => `${times} × ${name}`,
  )
  const calls = new Set(failures.map(({ call }) => call))
  t.pass(
    `${what}: ${answers.join(', ') || 'no failure'} (${[...calls].join(', ')}) among ${people.seen.served - before.served} requests that were served`,
  )
}

/** Everything that somebody was told holds, whatever was killed since. */
async function keptItsWord(t: Test, scale: Scale, lives: readonly Life[]): Promise<void> {
  const broken: string[] = []
  async function check(life: Life): Promise<void> {
    const { username, used, accessToken, refreshToken } = life
    const service = newClient(scale.url)
    const expect = (what: string, answer: Answer, outcome: string) => {
      if (outcomeOf(answer) !== outcome) broken.push(`${what} of ${username}: ${outcomeOf(answer)}`)
    }
    const login = await service.post('/login', { username, password: PASSWORD })
    expect('the account', login, '200')
    if (!login.body.enrolled) broken.push(`${username} is not enrolled`)
    for (const [code, times] of used) {
      if (times > 1) broken.push(`${code} of ${username} was accepted ${times} times`)
      const method = code.length > 6 ? 'recovery_code' : 'totp'
      if (times === 0) continue
      expect(
        'a used code',
        await service.post('/2fa/verify', { code, method }, login.body.mfa_token),
        '422 invalid_code',
      )
    }
    expect('the access token', await service.get('/me', accessToken), '200')
    if (refreshToken)
      expect('the session', await service.post('/token/refresh', { refresh_token: refreshToken }), '200')
  }
  const waiting = [...lives]
  const checkAll = async () => {
    for (let life = waiting.pop(); life; life = waiting.pop()) await check(life)
  }
  await Promise.all(Array.from({ length: CLIENTS }, checkAll))
  t.same(broken, [])
}

async function oneLimit(t: Test, { url }: Scale): Promise<void> {
  const stranger = newClient(url)
  const answers: Answer[] = []
  for (let turn = 0; turn < RATE_LIMITS.login + 20; turn++) {
    const forged = { 'x-forwarded-for': `203.0.113.${turn}`, forwarded: `for=203.0.113.${turn}` }
    answers.push(await stranger.post('/login', {}, undefined, { headers: forged }))
  }
  t.same(tally(answers), { '400 validation_failed': RATE_LIMITS.login, '429 rate_limited': 20 })
  t.equal((await newClient(url).post('/login', {})).status, 400, 'another address is not concerned')
}

/** As a migration that only adds does it: the version before it goes on. */
async function addWhatANewerVersionAdds({ cluster }: Scale): Promise<void> {
  await cluster.executeIn(
    'keyturn',
    'alter table accounts add column of_a_newer_version text',
    "insert into kysely_migration (name, timestamp) values ('9999-a-column', '2099-01-01T00:00:00.000Z')",
  )
}

async function nothingIsLost(t: Test, scale: Scale): Promise<void> {
  const people = populate(scale)
  await eventually('people are served', () => people.seen.inARow >= ANSWERS_OF_PEACE)
  t.same(people.failures, [], 'without a fault nobody sees one')

  for (const [number, replica] of scale.replicas.entries())
    await during(t, people, `replica ${number + 1} killed and started`, async () => {
      await replica.kill()
      await sleep(500)
      await replica.start()
    })
  for (const what of ['restarted', 'restarted on the tables of a newer version']) {
    if (what !== 'restarted') await addWhatANewerVersionAdds(scale)
    for (const [number, replica] of scale.replicas.entries())
      await during(t, people, `replica ${number + 1} ${what}`, async () => {
        t.equal(await replica.stop(), 0, 'it ends in order')
        await replica.start()
      })
  }
  await during(t, people, 'PostgreSQL killed and started', () => scale.cluster.restart('SIGQUIT'))
  await during(t, people, 'Redis killed and started', async () => {
    await scale.redis.kill()
    await scale.redis.start()
  })
  await during(t, people, 'PostgreSQL killed for good, and its standby promoted', () => scale.failOver())
  await people.end()

  t.same([...new Set(people.wrong)], [], 'no failure is another than 503')
  const enrolled = people.lives.filter(({ enrolled }) => enrolled)
  t.comment(`${enrolled.length} of ${people.lives.length} people were told that they are enrolled`)
  t.ok(enrolled.length > 20)
  await keptItsWord(t, scale, enrolled)
}

t.test('nginx, three replicas, PostgreSQL and Redis', { skip: scaleMissing }, async (t) => {
  const scale = await startScale(t, { standby: true })
  await t.test('an address has one limit, whatever it says of itself', (t) => oneLimit(t, scale))
  await t.test('nothing that was acknowledged is lost, and no code is good twice, whatever is killed', (t) =>
    nothingIsLost(t, scale),
  )
})
