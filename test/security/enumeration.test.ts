// The attack: finding out which names have accounts, by what a refused login says or by how long it takes.
import t from 'tap'
import { outcomeOf, withoutRequestId } from '../helpers/requests/burst.ts'
import { mannWhitney } from '../helpers/requests/mann-whitney.ts'
import {
  type Answer,
  enrol,
  PASSWORD,
  register,
  type Service,
  startService,
} from '../helpers/service/service.ts'
import { watchingStatements } from '../helpers/service/statements.ts'

// Each kind of refusal has a name of its own: a hundred failures of one name, from wherever, bring a pause.

/** Slow enough to hide whether a row was found, as a real hash does, and quick enough for a thousand of them. */
const SOME_WORK = { ARGON2_MEMORY_KIB: '12288', ARGON2_TIME: '1', HASH_CONCURRENCY: '1' }

const SAMPLES = 80

/** Chance alone fails the test once in a hundred thousand runs; a hash that is left out gives 1e-20. */
const INDISTINGUISHABLE = 1e-5

/** Of the form of a recovery code, and of no account. */
const A_CODE = { recovery_code: 'AAAA-AAAA-AAAA-AAAA-AAAA-AAAA' }

const REFUSED_LOGINS = {
  'an unknown name': { username: 'nobody', password: PASSWORD },
  'a name that cannot be': { username: 'no such name!', password: PASSWORD },
  'a wrong password': { username: 'ada', password: 'not the password' },
  'a wrong password before enrolment': { username: 'fresh', password: 'not the password' },
  'a disabled account': { username: 'disabled', password: PASSWORD },
  'a wrong password for a disabled account': { username: 'locked', password: 'not the password' },
}

const KINDS = [
  ['a password alone', {}],
  ['a password and a recovery code', A_CODE],
] as const

async function populate(service: Service): Promise<void> {
  await enrol(service, 'ada')
  await register(service, 'fresh')
  for (const username of ['disabled', 'locked']) {
    const { id } = await enrol(service, username)
    await service.db.updateTable('accounts').set({ disabled_at: 1 }).where('id', '=', id).execute()
  }
}

const headersOf = ({ headers }: Answer) => {
  const { 'x-request-id': _, date: __, ...rest } = headers
  return rest
}

t.test('refused logins are word for word alike', async (t) => {
  const service = await startService(t)
  await populate(service)
  const answers: [string, Answer][] = []
  for (const [what, more] of KINDS)
    for (const [name, credentials] of Object.entries(REFUSED_LOGINS))
      answers.push([`${what}: ${name}`, await service.post('/login', { ...credentials, ...more })])
  const [, reference] = answers[0] as [string, Answer]
  t.equal(outcomeOf(reference), '401 invalid_credentials')
  for (const [name, answer] of answers) {
    t.strictSame(withoutRequestId(answer), withoutRequestId(reference), name)
    t.strictSame(headersOf(answer), headersOf(reference), name)
    t.equal(answer.text.length, reference.text.length, name)
  }
})

t.test('the pause after many wrong passwords is the same for names that nobody has', async (t) => {
  const service = await startService(t)
  await populate(service)
  const paused = async (username: string) => {
    for (let count = 0; count < 10; count += 1) await service.post('/login', { username, password: 'wrong' })
    return service.post('/login', { username, password: PASSWORD })
  }
  const reference = await paused('nobody')
  t.equal(outcomeOf(reference), '429 too_many_attempts')
  for (const username of ['ada', 'fresh', 'disabled']) {
    const answer = await paused(username)
    t.strictSame(withoutRequestId(answer), withoutRequestId(reference), username)
    t.strictSame(headersOf(answer), headersOf(reference), username)
  }
})

/** Statements of a refused login. */
const STATEMENTS = { 'a password alone': 6, 'a password and a recovery code': 8 }

for (const [what, more] of KINDS)
  t.test(`${what}: refused logins ask the database the same`, async (t) => {
    const service = await startService(t)
    await populate(service)
    const statementsOf = async (body: object) => {
      const texts: string[] = []
      const send = () =>
        service.post('/login', { ...body, ...more }, undefined, { remoteAddress: '198.51.100.1' })
      const answer = await watchingStatements(service.databaseUrl, (text) => texts.push(text), send)
      t.equal(outcomeOf(answer), '401 invalid_credentials')
      return texts
    }
    const reference = await statementsOf(REFUSED_LOGINS['a wrong password'])
    t.equal(reference.filter((text) => !/^(begin|commit)/.test(text)).length, STATEMENTS[what])
    for (const [name, body] of Object.entries(REFUSED_LOGINS))
      t.strictSame(await statementsOf(body), reference, name)
  })

// Whether a recovery code comes along is no secret: the sender knows. So each is compared with its like.
for (const [what, more] of KINDS)
  t.test(`${what}: refused logins take the same time`, async (t) => {
    const service = await startService(t, { environment: SOME_WORK })
    await populate(service)
    let address = 0
    const stopwatch = async (body: object) => {
      // Each from a network of its own, so that none is paused.
      address += 1
      const remoteAddress = `10.${address >> 8}.${address & 255}.1`
      const startedAt = performance.now()
      const { status } = await service.post('/login', { ...body, ...more }, undefined, { remoteAddress })
      t.not(status, 429, 'it was looked at')
      return performance.now() - startedAt
    }

    // The last one is refused before any password is looked at: it proves that the stopwatch would tell.
    const kinds = { ...REFUSED_LOGINS, 'no password at all': { username: 'ada' } }
    const times = Object.fromEntries(Object.keys(kinds).map((name): [string, number[]] => [name, []]))
    for (let round = -5; round < SAMPLES; round += 1)
      for (const [name, body] of shuffled(Object.entries(kinds))) {
        const ms = await stopwatch(body)
        if (round >= 0) times[name]?.push(ms)
      }

    const { 'a wrong password': reference = [], 'no password at all': instant = [], ...others } = times
    for (const [name, sample] of Object.entries(others)) {
      const p = mannWhitney(sample, reference)
      t.ok(p > INDISTINGUISHABLE, `${name} and a wrong password: p = ${p.toExponential(1)}`)
    }
    t.ok(mannWhitney(instant, reference) < INDISTINGUISHABLE, 'a refusal without a hash is noticed')
  })

/** In random order each time: what goes first must not always be the same. */
function shuffled<T>(items: T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item)
}
