import { execFile, execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Registry } from 'prom-client'
import t from 'tap'
import { parse } from 'yaml'
import { operatorCaller } from '../../src/cli/operator.ts'
import { makeHashQueue } from '../../src/crypto/hash-queue.ts'
import { metersOf } from '../../src/monitoring/meters.ts'
import { hashMetrics } from '../../src/monitoring/work-metrics.ts'
import { adapterOf, inTransaction } from '../../src/platform/database.ts'
import { ConnectionError } from '../../src/platform/database-errors.ts'
import { VERSION } from '../../src/version.ts'
import { mailing, registerWithEmail } from '../helpers/people/mail.ts'
import { totp } from '../helpers/people/totp.ts'
import { runCommand } from '../helpers/programs/command.ts'
import { freePort } from '../helpers/programs/free-port.ts'
import { sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { startMailServer } from '../helpers/programs/smtp.ts'
import { which } from '../helpers/programs/which.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { exchange, listen } from '../helpers/requests/raw-socket.ts'
import { onPostgres } from '../helpers/service/database.ts'
import { holdableHashes } from '../helpers/service/held-hashes.ts'
import { RULE_NAMES } from '../helpers/service/invariants.ts'
import { addSessions } from '../helpers/service/many-rows.ts'
import {
  dashboardQueries,
  isAnswered,
  monitoringFile,
  samples,
  seriesNames,
  startMeasured,
} from '../helpers/service/metrics.ts'
import { enrol, login, nextCode, PASSWORD, register, wrongCode } from '../helpers/service/service.ts'

const run = promisify(execFile)

const promtool = which('promtool')
const promtoolMissing =
  !promtool && 'promtool is missing, so its checks are not run: apt-get install prometheus'

t.test(
  'requests are counted by the route that the log names, and paths that do not exist together',
  async (t) => {
    const service = await startMeasured(t)
    const { accessToken } = await enrol(service)
    await service.get('/me', accessToken)
    await service.get('/me?q=1')
    await service.get('/login')
    await service.delete('/sessions/one', accessToken)
    await service.delete('/sessions/two', accessToken)
    for (const path of ['/a', '/b/c', '/%zz', '/wp-login.php']) await service.get(path)

    const text = await service.metrics.text()
    const counted = samples(text, 'keyturn_http_request_duration_seconds_count')
    t.match(counted, {
      'method="POST",route="/register",status="201"': 1,
      'method="GET",route="/me",status="200"': 1,
      'method="GET",route="/me",status="401"': 1,
      'method="GET",route="/login",status="405"': 1,
      'method="GET",route="(none)",status="404"': 4,
    })
    const inLog = service.logLines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request')
    t.equal(
      Object.values(counted).reduce((sum, count) => sum + count, 0),
      inLog.length,
      'every line of the log is counted, and nothing else',
    )
    const routes = new Set(Object.keys(counted).map((labels) => /route="([^"]*)"/.exec(labels)?.[1]))
    t.strictSame(routes, new Set(inLog.map(({ route }) => route ?? '(none)')))
    t.match(samples(text, 'keyturn_http_problems_total'), {
      'code="not_found"': 6,
      'code="invalid_token"': 1,
      'code="method_not_allowed"': 1,
    })
  },
)

t.test('what is not HTTP is counted too', async (t) => {
  const service = await startMeasured(t)
  const { port } = await listen(service)
  await exchange(port, 'FROB / HTTP/1.1\r\nHost: x\r\n\r\n')
  t.strictSame(samples(await service.metrics.text(), 'keyturn_http_problems_total'), {
    'code="bad_request"': 1,
  })
})

t.test('the version, the clock and the room on the disk are told', async (t) => {
  const service = await startMeasured(t)
  const text = await service.metrics.text()
  t.strictSame(samples(text, 'keyturn_build_info'), { [`version="${VERSION}",node="${process.version}"`]: 1 })
  t.strictSame(samples(text, 'keyturn_time_seconds'), { '': service.clock.now() / 1000 })
  const { '': free = 0 } = samples(text, 'keyturn_disk_free_bytes')
  t.equal(free > 0, !onPostgres)
})

t.test('passwords, codes, logins and pauses are counted by how they went', async (t) => {
  const service = await startMeasured(t)
  const { mfaToken } = await register(service)
  const { secret } = (await service.post('/2fa/setup', undefined, mfaToken)).body
  await service.post('/2fa/verify', { code: wrongCode(service, { secret }) }, mfaToken)
  const confirmed = await service.post('/2fa/verify', { code: totp(secret, service.clock.now()) }, mfaToken)
  await service.post('/2fa/verify', { code: nextCode(service, { secret }) }, await login(service))
  const recovery = { code: confirmed.body.recovery_codes[0], method: 'recovery_code' }
  await service.post('/2fa/verify', recovery, await login(service))
  for (let tries = 0; tries < 11; tries++)
    await service.post('/login', { username: 'ada', password: 'wrong' })

  const text = await service.metrics.text()
  t.strictSame(samples(text, 'keyturn_codes_total'), {
    'method="totp",outcome="failure"': 1,
    'method="totp",outcome="success"': 2,
    'method="recovery_code",outcome="success"': 1,
  })
  t.strictSame(samples(text, 'keyturn_passwords_total'), { 'outcome="success"': 2, 'outcome="failure"': 10 })
  t.strictSame(samples(text, 'keyturn_logins_total'), { '': 3 })
  t.strictSame(samples(text, 'keyturn_lockouts_total'), { 'method="password"': 1 })
  t.match(samples(text, 'keyturn_audit_events_total'), { 'event="account_registered"': 1 })
})

t.test('the hash queue shows what runs, waits and is refused', async (t) => {
  const hashes = holdableHashes()
  const service = await startMeasured(t, {
    environment: { HASH_CONCURRENCY: '1', HASH_QUEUE: '1' },
    instruments: [hashes.instrument],
  })
  hashes.hold()
  const asked = ['ada', 'grace', 'linus'].map((username) =>
    service.post('/register', { username, password: PASSWORD }),
  )
  t.equal((await Promise.race(asked)).status, 503)
  await hashes.until({ running: 1, waiting: 1 })
  const busiest = await service.metrics.text()
  t.strictSame(samples(busiest, 'keyturn_hash_waiting'), { '': 1 })
  t.strictSame(samples(busiest, 'keyturn_hash_running'), { '': 1 })
  await sleep(20)
  hashes.release()
  const statuses = (await Promise.all(asked)).map(({ status }) => status)
  t.strictSame(statuses.sort(), [201, 201, 503])

  const text = await service.metrics.text()
  t.strictSame(samples(text, 'keyturn_hash_refused_total'), { '': 1 })
  t.strictSame(samples(text, 'keyturn_hash_running'), { '': 0 })
  t.strictSame(samples(text, 'keyturn_hash_waiting'), { '': 0 })
  t.strictSame(samples(text, 'keyturn_hash_duration_seconds_count'), { '': 2 })
  t.strictSame(samples(text, 'keyturn_hash_wait_seconds_count'), { '': 2 })
  const waited = samples(text, 'keyturn_hash_wait_seconds_sum')['']
  t.ok(waited && waited > 0.01, `one of them waited: ${waited} s`)
})

t.test('a queue that is measured has the same places for the same lanes', async (t) => {
  for (const measured of [false, true]) {
    const plain = makeHashQueue({ concurrency: 1, capacity: 3 })
    const queue = measured ? (hashMetrics(metersOf(new Registry())).hashQueue?.(plain) ?? plain) : plain
    const hold = Promise.withResolvers<void>()
    const lane = ['strangers', '192.0.2.0/24']
    const running = Array.from({ length: 4 }, () => queue.run(() => hold.promise, { lane }))
    await t.rejects(queue.admit(lane), { name: 'QueueFullError' }, `measured: ${measured}`)
    hold.resolve()
    await Promise.all(running)
  }
})

t.test('mail that goes, mail that does not, and mail that waits', async (t) => {
  const smtp = await startMailServer(t)
  const service = await startMeasured(t, { environment: { ...mailing(smtp), EMAIL_CODES: 'on' } })
  const { mfaToken } = await registerWithEmail(service)
  t.equal((await service.post('/2fa/email', undefined, mfaToken)).status, 202)
  smtp.behave({ refuse: ['data', 451] })
  service.clock.advance(61)
  t.equal((await service.post('/2fa/email', undefined, mfaToken)).status, 503)
  t.equal((await service.post('/password/forgot', { username: 'nobody' })).status, 202)
  service.clock.advance(90)

  const text = await service.metrics.text()
  t.strictSame(samples(text, 'keyturn_mails_total'), { 'outcome="success"': 1, 'outcome="failure"': 1 })
  t.strictSame(samples(text, 'keyturn_mails_waiting'), { '': 1 })
  t.strictSame(samples(text, 'keyturn_mail_oldest_seconds'), { '': 90 })
  await service.deps.outbox.deliverDue()
  t.strictSame(samples(await service.metrics.text(), 'keyturn_mails_waiting'), { '': 0 })
})

t.test('tables show how many rows they have, counted every ten minutes', async (t) => {
  const service = await startMeasured(t, { spared: ['factorsWereShown'] })
  const { clock, db, metrics } = service
  const ada = await enrol(service)
  const rows = async (table: string) =>
    samples(await metrics.text(), 'keyturn_table_rows')[`table="${table}"`]
  // PostgreSQL keeps an estimate, and brings it up to date a moment after a commit.
  const counted = (sessions: number) =>
    eventually(`${sessions} sessions are counted`, async () => {
      clock.advance(600)
      return (await rows('sessions')) === sessions
    })
  await counted(1)
  t.equal(await rows('accounts'), 1)
  await addSessions(service, ada.id, 25_000)
  t.equal(await rows('sessions'), 1, 'not before ten minutes have passed')
  await counted(25_001)
  await db.deleteFrom('sessions').where('id', 'like', 'live-%').execute()
  await counted(1)
})

t.test('what a transaction took back is told nowhere, and what it had to repeat is told once', async (t) => {
  const service = await startMeasured(t)
  const { db, deps, logLines } = service
  const record = (outcomes: (Error | null)[]) =>
    inTransaction(db, async (trx) => {
      await deps.trail.record(trx, 'password_refused', { account: undefined }, operatorCaller())
      const fault = outcomes.shift()
      if (fault) throw fault
    })
  const told = async () => ({
    counted: samples(await service.metrics.text(), 'keyturn_passwords_total')['outcome="failure"'] ?? 0,
    logged: logLines.filter((line) => line.includes('password_refused')).length,
    kept: (await db.selectFrom('audit_events').select('id').execute()).length,
  })
  await t.rejects(record([new Error('it is not to be')]))
  t.strictSame(await told(), { counted: 0, logged: 0, kept: 0 })
  await record([new ConnectionError('lost'), new ConnectionError('lost again'), null])
  t.strictSame(await told(), { counted: 1, logged: 1, kept: 1 })
})

t.test('metrics are served while the database is gone, and say that it is', async (t) => {
  const service = await startMeasured(t, { spared: RULE_NAMES })
  t.strictSame(samples(await service.metrics.text(), 'keyturn_database_up'), { '': 1 })
  t.strictSame(samples(await service.metrics.text(), 'keyturn_database_fault'), {})
  await service.db.destroy()
  service.clock.advance(3)
  const text = await service.metrics.text()
  t.strictSame(samples(text, 'keyturn_database_up'), { '': 0 })
  t.strictSame(samples(text, 'keyturn_database_fault'), { 'reason="unreachable"': 1 })
})

t.test('connections show how many there are and who waits for one, where there is a pool', async (t) => {
  const service = await startMeasured(t, { environment: { DATABASE_POOL_SIZE: '2' } })
  const connections = async () => {
    const text = await service.metrics.text()
    return ['connections', 'connections_max', 'waiting'].map((name) =>
      samples(text, `keyturn_database_${name}`),
    )
  }
  if (!onPostgres) return t.strictSame(await connections(), [{}, {}, {}])
  // The look itself asks the database, too, and is not among those who do.
  t.strictSame(await connections(), [{ 'state="idle"': 1 }, { '': 2 }, { '': 0 }])

  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const work = Array.from({ length: 5 }, () => inTransaction(service.db, () => released))
  await eventually('two are at work', () => adapterOf(service.db).connections()?.used === 2)
  t.strictSame(await connections(), [{ 'state="used"': 2 }, { '': 2 }, { '': 3 }])
  release()
  await Promise.all(work)
  await eventually('all is done', () => adapterOf(service.db).connections()?.used === 0)
  t.strictSame(await connections(), [{ 'state="idle"': 2 }, { '': 2 }, { '': 0 }])
})

// A metric is read by more people than the log, and kept for longer.
t.test('no label has a name, an id, an address or anything that a caller made up', async (t) => {
  const service = await startMeasured(t)
  const planted = 'planted-6f1c0e5d'
  const { id } = await enrol(service, planted)
  await service.post('/login', { username: `${planted}x`, password: planted })
  for (const url of [`/${planted}`, `/sessions/${planted}`, `/me?x=${planted}`]) await service.get(url)
  await service.post('/login', { [planted]: 1 }, planted, { headers: { 'x-forwarded-for': '203.0.113.9' } })
  const text = await service.metrics.text()
  for (const secret of [planted, id, '127.0.0.1', '203.0.113.9']) t.notMatch(text, secret)
})

t.test('they are on a port of their own, and nowhere on the public one', async (t) => {
  const port = String(await freePort())
  const environment = { ...(await sharedEnvironment(t)), METRICS_PORT: port, METRICS_HOST: 'localhost' }
  const service = await startProcess(t, environment)
  t.match(JSON.parse(await service.line('"msg":"metrics"')), { host: 'localhost', port: Number(port) })
  const metrics = `http://localhost:${port}`

  const answer = await fetch(`${metrics}/metrics`)
  t.equal(answer.status, 200)
  t.match(answer.headers.get('content-type'), /^text\/plain; version=0\.0\.4/)
  t.equal(answer.headers.get('keep-alive'), 'timeout=120', 'until the next scrape and longer')
  const text = await answer.text()
  for (const name of [
    'nodejs_eventloop_lag_p99_seconds',
    'process_resident_memory_bytes',
    'keyturn_database_up',
  ])
    t.ok(seriesNames(text).has(name), name)
  t.equal((await fetch(`${metrics}/`)).status, 404)
  t.equal((await fetch(`${metrics}/me`)).status, 404)
  t.equal((await fetch(`${metrics}/metrics`, { method: 'POST' })).status, 405)
  t.equal((await fetch(`${service.url}/metrics`)).status, 404)

  const second = runCommand(t, ['src/cli/keyturn.js', 'serve'], {
    ...(await sharedEnvironment(t)),
    PORT: '0',
    METRICS_PORT: port,
    METRICS_HOST: 'localhost',
  })
  t.match(await second.ended, { code: 1, stderr: /^The port is taken: .*METRICS_PORT\.\n$/ })

  service.signal('SIGINT')
  t.equal((await service.ended).code, 0, 'an open listener does not hold up the end')
})

t.test('without METRICS_PORT and OTEL_… nothing that measures is loaded', async (t) => {
  const loaded = async (environment: Record<string, string>) => {
    const service = runCommand(t, ['test/helpers/programs/print-packages.ts'], {
      ...(await sharedEnvironment(t)),
      PORT: '0',
      ...environment,
    })
    await service.line('"msg":"ready"')
    service.signal('SIGINT')
    const { stdout } = await service.ended
    return stdout
      .split('\n')
      .filter((line) => /prom-client|opentelemetry|src\/monitoring\/.*(metrics|traces)/.test(line))
  }
  t.strictSame(await loaded({}), [])
  t.not((await loaded({ METRICS_PORT: String(await freePort()) })).length, 0, 'and this test would see it')
})

t.test('the text is what promtool takes for good metrics', { skip: promtoolMissing }, async (t) => {
  const service = await startMeasured(t)
  await enrol(service)
  const input = await service.metrics.text()
  // Those of the process have names that prom-client gave them.
  const own = input.split('\n\n').filter((metric) => /^# HELP keyturn_/.test(metric))
  t.doesNotThrow(() => execFileSync(promtool ?? '', ['check', 'metrics'], { input: `${own.join('\n')}\n` }))
})

t.test('the alert rules are rules', { skip: promtoolMissing }, async (t) => {
  const path = (name: string) => fileURLToPath(new URL(`../../deploy/monitoring/${name}`, import.meta.url))
  t.match((await run(promtool ?? '', ['check', 'rules', path('alerts.yml')])).stdout, 'SUCCESS')
  t.match((await run(promtool ?? '', ['check', 'config', path('prometheus.yml')])).stdout, 'SUCCESS')
})

t.test('the dashboard and the alert rules ask for nothing that is not there', async (t) => {
  const service = await startMeasured(t)
  await enrol(service)
  const text = await service.metrics.text()
  const names = new Set([...seriesNames(text), 'up'])
  const { groups } = parse(monitoringFile('alerts.yml'))
  const rules: { alert: string; expr: string }[] = groups[0].rules
  const asked = [...dashboardQueries(), ...rules.map(({ expr }) => expr)]
  t.ok(asked.length > 20)
  for (const query of asked.filter(isAnswered))
    for (const [name] of query.matchAll(/\b(?:keyturn|nodejs|process)_\w+|\bup\b/g))
      t.ok(names.has(name), name)
  const events = samples(text, 'keyturn_audit_events_total')
  t.ok('event="session_started"' in events)
})
