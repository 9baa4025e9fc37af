// The attack: passwords from a list of leaked ones are tried against a name; in another spelling, from the next
// address of the same network, many at once. Or the owner is locked out by somebody else's wrong tries.
import t from 'tap'
import { enrolWithAddress } from '../helpers/people/mail.ts'
import { at } from '../helpers/people/sessions.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { listen, openSocket } from '../helpers/requests/raw-socket.ts'
import { holdableHashes } from '../helpers/service/held-hashes.ts'
import {
  type Answer,
  enrol,
  PASSWORD,
  register,
  type Service,
  startService,
} from '../helpers/service/service.ts'

const tryPassword = (service: Service, username: string, password: string, remoteAddress = '192.0.2.1') =>
  service.post('/login', { username, password }, undefined, { remoteAddress })

async function wrongPasswords(
  service: Service,
  names: readonly string[],
  address?: string,
): Promise<string[]> {
  const outcomes: string[] = []
  for (const name of names)
    outcomes.push(outcomeOf(await tryPassword(service, name, 'not this one', address)))
  return outcomes
}

/** Where what comes over a socket comes from. */
const LOOPBACK = '127.0.0.1'

const times = (count: number, name: string) => Array.from({ length: count }, () => name)

const TEN_THEN_PAUSE = [...times(10, '401 invalid_credentials'), '429 too_many_attempts']

const pauseOf = ({ headers }: Answer) => Number(headers['retry-after'])

t.test('from the tenth wrong password in a row, each brings a longer pause', async (t) => {
  const service = await startService(t)
  await register(service)
  t.strictSame(await wrongPasswords(service, times(11, 'ada')), TEN_THEN_PAUSE)
  for (const pause of [30, 60, 120, 240, 480, 900, 900]) {
    const refused = await tryPassword(service, 'ada', PASSWORD)
    t.equal(outcomeOf(refused), '429 too_many_attempts', 'the right password has to wait, too')
    t.equal(pauseOf(refused), pause)
    service.clock.advance(pause)
    t.strictSame(await wrongPasswords(service, ['ada']), ['401 invalid_credentials'])
  }
})

t.test('names that nobody has are counted like those that somebody has', async (t) => {
  const service = await startService(t)
  await register(service)
  for (const name of ['ada', 'nobody']) {
    t.strictSame(await wrongPasswords(service, times(11, name)), TEN_THEN_PAUSE)
    t.equal(pauseOf(await tryPassword(service, name, PASSWORD)), 30)
  }
})

t.test('all spellings of a name share one counter', async (t) => {
  const service = await startService(t)
  await register(service, 'kiki')
  const spellings = ['kiki', 'KIKI', 'Kiki', 'kIkI', ' kiki\u200b', '\u212aiki', 'ki\u212ai']
  t.strictSame(await wrongPasswords(service, [...spellings, ...spellings].slice(0, 11)), TEN_THEN_PAUSE)
})

// In one of them the domain is spelt as browsers read it, in another a letter of the local part is the Kelvin sign.
t.test('all spellings of an address share one counter, whether an account has it or none', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolWithAddress(service, 'kiki')
  const spell = (name: string) => [
    `${name}@example.com`,
    `${name.toUpperCase()}@Example.COM`,
    `${name}@\uff45xample.com`,
    `${name}@example\u3002com`,
    `${name.replace('k', '\u212a')}@example.com`,
  ]
  for (const name of ['kiki', 'kukuk']) {
    const spellings = spell(name)
    t.strictSame(
      await wrongPasswords(service, [...spellings, ...spellings, ...spellings].slice(0, 11)),
      TEN_THEN_PAUSE,
    )
    for (const spelling of spellings)
      t.strictSame(await wrongPasswords(service, [spelling]), ['429 too_many_attempts'], spelling)
  }
})

t.test('what only looks like a name is none: its tries open nothing and cost the name nothing', async (t) => {
  const service = await startService(t)
  await register(service, 'kiki')
  const lookalikes = [
    'ｋｉｋｉ',
    'ki\u200bki',
    'kik\u0131',
    'k\u0130ki',
    'кiкi',
    'ki\u00adki',
    'ki ki',
    'k\u0456ki',
    'kiki\u0301',
  ]
  for (const name of [...lookalikes, ...lookalikes])
    t.equal(
      outcomeOf(await tryPassword(service, name, PASSWORD)),
      '401 invalid_credentials',
      JSON.stringify(name),
    )
  t.equal((await tryPassword(service, 'kiki', PASSWORD)).status, 200)
})

t.test('somebody who fails elsewhere does not lock the owner out', async (t) => {
  const service = await startService(t)
  await register(service)
  await wrongPasswords(service, times(11, 'ada'), '192.0.2.1')
  t.equal((await tryPassword(service, 'ada', PASSWORD, '198.51.100.7')).status, 200)
  t.equal(outcomeOf(await tryPassword(service, 'ada', PASSWORD, '192.0.2.1')), '429 too_many_attempts')
})

t.test('strangers from many addresses share one budget, which is not the owner’s at home', async (t) => {
  const service = await startService(t)
  const home = '198.51.100.7'
  await enrol(at(service, home))

  const strangers = Array.from({ length: 110 }, (_, network) => `10.0.${network}.1`)
  const outcomes: string[] = []
  for (const address of strangers) outcomes.push(...(await wrongPasswords(service, ['ada'], address)))
  t.strictSame(outcomes, [...times(100, '401 invalid_credentials'), ...times(10, '429 too_many_attempts')])

  const away = await tryPassword(service, 'ada', PASSWORD, '203.0.113.1')
  t.equal(outcomeOf(away), '429 too_many_attempts', 'where she never signed in, she has to wait')
  t.equal(pauseOf(away), 30)
  t.equal((await tryPassword(service, 'ada', PASSWORD, home)).status, 200)
  t.equal((await tryPassword(service, 'ada', PASSWORD, '203.0.113.1')).status, 200, 'a success clears it')
})

t.test('the addresses of one IPv6 network share one counter, whatever their spelling', async (t) => {
  const service = await startService(t)
  await register(service)
  const outcomes: string[] = []
  for (let host = 1; host <= 11; host += 1)
    outcomes.push(...(await wrongPasswords(service, ['ada'], `2001:db8:7:${host.toString(16)}::1`)))
  t.strictSame(outcomes, TEN_THEN_PAUSE)
  t.strictSame(
    await wrongPasswords(service, times(2, 'ada'), '2001:0DB8:0007:ffff:ffff:ffff:ffff:ffff'),
    times(2, '429 too_many_attempts'),
  )
  t.equal((await tryPassword(service, 'ada', PASSWORD, '2001:db8:8::1')).status, 200, 'the next network')
})

t.test(
  'the 256 addresses of one IPv4 network share one counter, mapped or translated to IPv6 too',
  async (t) => {
    const service = await startService(t)
    await register(service)
    const outcomes: string[] = []
    for (let host = 1; host <= 11; host += 1)
      outcomes.push(...(await wrongPasswords(service, ['ada'], `192.0.2.${host}`)))
    t.strictSame(outcomes, TEN_THEN_PAUSE)
    for (const address of ['192.0.2.255', '::ffff:192.0.2.1', '64:ff9b::192.0.2.1'])
      t.equal(outcomeOf(await tryPassword(service, 'ada', PASSWORD, address)), '429 too_many_attempts')
    for (const address of ['::ffff:192.0.3.1', '64:ff9b::192.0.3.1'])
      t.equal((await tryPassword(service, 'ada', PASSWORD, address)).status, 200)
  },
)

t.test('the count of wrong passwords survives a restart', async (t) => {
  const service = await startService(t)
  await register(service)
  await wrongPasswords(service, times(10, 'ada'))
  await service.close()
  const restarted = await startService(t, { databaseUrl: service.databaseUrl, clock: service.clock })
  t.equal(outcomeOf(await tryPassword(restarted, 'ada', PASSWORD)), '429 too_many_attempts')
})

t.test('a right password clears the count', async (t) => {
  const service = await startService(t)
  await register(service)
  await wrongPasswords(service, times(9, 'ada'))
  t.equal((await tryPassword(service, 'ada', PASSWORD)).status, 200)
  t.strictSame(await wrongPasswords(service, times(11, 'ada')), TEN_THEN_PAUSE)
})

t.test(
  'of a first burst no more are looked at than bring the pause, and those that are being hashed',
  async (t) => {
    const concurrency = 2
    const environment = { HASH_CONCURRENCY: String(concurrency), HASH_QUEUE: '200' }
    const service = await startService(t, { environment })
    await register(service)
    const outcomes = tally(await burst(200, () => tryPassword(service, 'ada', 'not this one')))
    const { '401 invalid_credentials': evaluated = 0, '429 too_many_attempts': refused = 0 } = outcomes
    t.ok(evaluated > 0 && evaluated <= 10 + concurrency, JSON.stringify(outcomes))
    t.equal(evaluated + refused, 200)
    const paused = await tryPassword(service, 'ada', PASSWORD)
    t.equal(outcomeOf(paused), '429 too_many_attempts')
    t.ok(pauseOf(paused) >= 30)
  },
)

t.test('of a burst after a pause, one is looked at', async (t) => {
  const service = await startService(t, { environment: { HASH_QUEUE: '100' } })
  await register(service)
  await wrongPasswords(service, times(10, 'ada'))
  for (const pause of [30, 60, 120]) {
    service.clock.advance(pause)
    const outcomes = tally(await burst(20, () => tryPassword(service, 'ada', 'not this one')))
    t.strictSame(outcomes, { '401 invalid_credentials': 1, '429 too_many_attempts': 19 })
  }
  service.clock.advance(240)
  t.equal((await tryPassword(service, 'ada', PASSWORD)).status, 200, 'one try is enough for the owner')
})

t.test('of a burst of strangers after their pause, one is looked at', async (t) => {
  const service = await startService(t, { environment: { HASH_QUEUE: '200' } })
  await register(service)
  const from = (network: number) => `10.0.${network}.1`
  for (let host = 0; host < 100; host += 1) await tryPassword(service, 'ada', 'not this one', from(host))
  service.clock.advance(30)
  const answers = await burst(50, (host) => tryPassword(service, 'ada', 'nor this', from(100 + host)))
  t.strictSame(tally(answers), { '401 invalid_credentials': 1, '429 too_many_attempts': 49 })
})

t.test('a try after a pause that was not looked at gives the pause no new length', async (t) => {
  const hashes = holdableHashes()
  const service = await startService(t, {
    environment: { HASH_CONCURRENCY: '1', HASH_QUEUE: '0' },
    instruments: [hashes.instrument],
  })
  await register(service)
  await register(service, 'grace')
  await wrongPasswords(service, times(10, 'ada'))
  service.clock.advance(30)
  hashes.hold()
  // Both are let in by the door; the one place behind it is for the first.
  const running = tryPassword(service, 'grace', PASSWORD)
  t.equal(outcomeOf(await tryPassword(service, 'ada', PASSWORD)), '503 overloaded')
  hashes.release()
  await running
  t.equal((await tryPassword(service, 'ada', PASSWORD)).status, 200)
})

t.test('nor does one whose client went away while it waited', async (t) => {
  const hashes = holdableHashes()
  const service = await startService(t, {
    environment: { HASH_CONCURRENCY: '1', HASH_QUEUE: '1' },
    instruments: [hashes.instrument],
  })
  const { port } = await listen(service)
  await register(service)
  await wrongPasswords(service, times(10, 'ada'), LOOPBACK)
  service.clock.advance(30)
  hashes.hold()
  const running = tryPassword(service, 'grace', PASSWORD)
  await hashes.until({ running: 1, waiting: 0 })
  const socket = await openSocket(port)
  const body = JSON.stringify({ username: 'ada', password: PASSWORD })
  socket.write(
    `POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  await hashes.until({ running: 1, waiting: 1 })
  socket.destroy()
  await hashes.until({ running: 1, waiting: 0 })
  hashes.release()
  await running
  const counted = () =>
    service.db.selectFrom('failure_counters').where('failures', '>', 10).selectAll().execute()
  await eventually('its try is taken back', async () => (await counted()).length === 0)
  t.equal((await tryPassword(service, 'ada', PASSWORD, LOOPBACK)).status, 200)
})

t.test('thirty right logins at once are all let in', async (t) => {
  const service = await startService(t, { environment: { HASH_QUEUE: '100' } })
  await register(service)
  t.strictSame(tally(await burst(30, () => tryPassword(service, 'ada', PASSWORD))), { 200: 30 })
  t.strictSame(tally(await burst(30, () => tryPassword(service, 'ada', PASSWORD))), { 200: 30 })
})

t.test('logins that were not looked at do not count', async (t) => {
  const service = await startService(t, { environment: { HASH_CONCURRENCY: '1', HASH_QUEUE: '0' } })
  await register(service)
  const answers = await burst(40, () => tryPassword(service, 'ada', PASSWORD))
  const { 200: lookedAt = 0, '503 overloaded': overloaded = 0 } = tally(answers)
  t.equal(lookedAt + overloaded, 40)
  t.ok(overloaded > 10, `${overloaded} were not looked at`)
  t.equal((await tryPassword(service, 'ada', PASSWORD)).status, 200)
})
