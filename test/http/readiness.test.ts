import { execFileSync } from 'node:child_process'
import t from 'tap'
import { Agent, fetch } from 'undici'
import { MANY_NAMES } from '../../src/http/proxy-watch.ts'
import { sqlitePath } from '../../src/platform/sqlite-files.ts'
import { holdWriteLock } from '../helpers/faults/write-lock.ts'
import { runCommand } from '../helpers/programs/command.ts'
import { sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { which } from '../helpers/programs/which.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { enrol, PASSWORD, type Service, startService } from '../helpers/service/service.ts'
import { watchingStatements } from '../helpers/service/statements.ts'

/** `/readyz` is for the machine that spreads the load, and for the person who wonders why all clients look alike. */

const prlimit = which('prlimit')

const FORWARDED = { 'x-forwarded-for': '203.0.113.7' }

const readyz = async (service: Service) => (await service.get('/readyz')).body

const warnedOf = ({ logLines }: Service) => logLines.filter((line) => line.includes('TRUST_PROXY'))

t.test('nothing to say is nothing said', async (t) => {
  const service = await startService(t)
  t.strictSame(await readyz(service), { status: 'ok', checks: { database: 'ok' } })
})

t.test('the database is tried by a row that is stored and taken away, once in three seconds', async (t) => {
  const service = await startService(t)
  let tried = 0
  const ask = (times: number) =>
    watchingStatements(
      service.databaseUrl,
      (text) => {
        if (text.startsWith('insert')) tried += 1
      },
      async () => {
        await Promise.all(Array.from({ length: times }, () => readyz(service)))
        await readyz(service)
      },
    )
  await ask(30)
  t.equal(tried, 1)
  service.clock.advance(2)
  await ask(30)
  t.equal(tried, 1)
  service.clock.advance(1)
  await ask(30)
  t.equal(tried, 2)
  service.clock.advance(-3600)
  await ask(1)
  t.equal(tried, 3, 'also after the clock was set back')
  t.strictSame(await service.db.selectFrom('failure_counters').selectAll().execute(), [])
})

t.test(
  'a process without a descriptor left is not ready: no one new can reach it',
  { skip: !prlimit && 'prlimit is not installed' },
  async (t) => {
    const server = await startProcess(t, await sharedEnvironment(t))
    const dispatcher = new Agent({ connections: 1, keepAliveTimeout: 60_000 })
    t.teardown(() => dispatcher.close())
    // By a connection that was there before.
    const ask = async () =>
      (await (await fetch(`${server.url}/readyz`, { dispatcher })).json()) as {
        reason?: string
        status: unknown
      }
    t.equal((await ask()).status, 'ok')
    const limit = (files: number) =>
      execFileSync(prlimit ?? '', ['--pid', String(server.pid), `--nofile=${files}:`])
    limit(3)
    await eventually('it says so', async () => (await ask()).reason === 'no_descriptors')
    limit(1024)
    await eventually('it is well again', async () => (await ask()).status === 'ok')
    t.match(await server.line('database stores nothing'), '"reason":"no_descriptors"')
    t.match(await server.line('database stores again'), '"level":"info"')
  },
)

t.test('a start on a database that stores nothing ends with the reason, and is never ready', async (t) => {
  const environment = await sharedEnvironment(t)
  const { release } = await holdWriteLock(t, sqlitePath(environment.DATABASE_URL ?? ''), 300_000)
  const start = runCommand(t, ['src/cli/keyturn.js', 'serve'], { ...environment, PORT: '0' })
  const { code, stdout, stderr } = await start.ended
  release()
  t.equal(code, 1)
  t.match(stderr, /^The database stores nothing: another program or transaction has it locked\. .*\n$/)
  t.notMatch(stdout, '"msg":"ready"')
})

t.test('times in the database that are ahead of the clock are a warning until they have come', async (t) => {
  const service = await startService(t)
  service.clock.advance(3600)
  await enrol(service)
  const warnings = async () => (await readyz(service)).warnings ?? []
  service.clock.advance(-60)
  t.strictSame(await warnings(), [], 'as far as clocks of two processes may differ')
  service.clock.advance(-1)
  t.match(await warnings(), [/times that are ahead of this clock/])
  t.equal((await readyz(service)).status, 'ok', 'it is not a reason to send requests elsewhere')
  service.clock.advance(1)
  t.strictSame(await warnings(), [])
})

t.test('a signing key that is to be made in the future is one, too', async (t) => {
  const service = await startService(t)
  service.clock.advance(3600)
  await service.deps.signingKeys.rotate()
  service.clock.advance(-3600)
  t.match((await readyz(service)).warnings, [/times that are ahead of this clock/])
})

for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip'])
  t.test(`${header} from a stranger is a warning, in the log once and for an hour here`, async (t) => {
    const service = await startService(t, { environment: { TRUST_PROXY: '192.0.2.0/24' } })
    const options = { headers: { [header]: '203.0.113.7' }, remoteAddress: '198.51.100.5' }
    for (let turn = 0; turn < 3; turn++) await service.get('/livez', undefined, options)
    const { status, warnings } = await readyz(service)
    t.equal(status, 'ok', 'it is not a reason to send requests elsewhere')
    t.match(warnings, [/TRUST_PROXY/])
    t.notMatch(JSON.stringify(warnings), '198.51.100.5', 'everybody can read this')
    t.equal(warnedOf(service).length, 1)
    t.match(JSON.parse(warnedOf(service)[0] ?? ''), { level: 'warn', from: '198.51.100.5', header })

    service.clock.advance(3601)
    t.notOk((await readyz(service)).warnings)
    await service.get('/livez', undefined, options)
    t.equal(warnedOf(service).length, 2, 'and told again when it goes on')
  })

t.test('the same from a proxy that is trusted is none', async (t) => {
  for (const [TRUST_PROXY, remoteAddress] of [
    ['192.0.2.0/24', '192.0.2.9'],
    ['192.0.2.9', '::ffff:192.0.2.9'],
    ['2001:db8::/32', '2001:db8:7::1'],
    ['::1', '::1'],
  ] as const) {
    const service = await startService(t, { environment: { TRUST_PROXY } })
    await service.get('/livez', undefined, { headers: FORWARDED, remoteAddress })
    t.notOk((await readyz(service)).warnings, remoteAddress)
  }
})

t.test(
  'one address with many names is a warning: a server forwards the addresses of its people, or all share limits',
  async (t) => {
    const service = await startService(t, { environment: { TRUST_PROXY: '192.0.2.9' } })
    const logIn = (username: string, remoteAddress: string, forwarded?: string) =>
      service.post('/login', { username, password: PASSWORD }, undefined, {
        remoteAddress,
        ...(forwarded && { headers: { 'x-forwarded-for': forwarded } }),
      })
    const people = Array.from({ length: MANY_NAMES }, (_, n) => `person${n}`)
    for (const [n, name] of people.entries()) {
      await service.post('/register', { username: name, password: PASSWORD }, undefined, {
        remoteAddress: `198.51.100.${n}`,
      })
      await logIn(name, '192.0.2.9', `203.0.113.${n}`)
      await logIn(`nobody${n}`, '198.51.100.200')
      await logIn(name, '198.51.100.201')
      await logIn(name.toUpperCase(), '198.51.100.201')
      if (n === people.length - 2) t.notOk((await readyz(service)).warnings, 'not for one name fewer')
    }
    const { status, warnings } = await readyz(service)
    t.equal(status, 'ok')
    t.match(warnings, [/^Many people sign in from one address/])
    t.notMatch(JSON.stringify(warnings), '198.51', 'everybody can read this')
    t.strictSame(
      warnedOf(service).map((line) => JSON.parse(line).from),
      ['198.51.100.201'],
      'names that no one has do not count, nor do addresses that a proxy forwards',
    )

    service.clock.advance(3601)
    t.notOk((await readyz(service)).warnings)
    await logIn(people[0] ?? '', '198.51.100.201')
    t.notOk((await readyz(service)).warnings, 'an hour later they are counted again from the first')
  },
)

t.test('an issuer with https and no proxy is a warning at the start', async (t) => {
  const start = async (environment: Record<string, string>) => {
    const server = await startProcess(t, {
      DATABASE_URL: `sqlite:${t.testdir()}/keyturn.db`,
      ISSUER: 'https://id.example',
      ...environment,
    })
    server.signal('SIGINT')
    return (await server.ended).stdout
  }
  t.match(await start({}), 'TRUST_PROXY does not name it')
  t.notMatch(await start({ TRUST_PROXY: '10.0.0.1' }), 'TRUST_PROXY')
})
