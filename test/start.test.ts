import { spawn, spawnSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import BetterSqlite3 from 'better-sqlite3'
import { decodeProtectedHeader } from 'jose'
import t, { type Test } from 'tap'
import { openDatabase } from '../src/platform/database.ts'
import { migrateDown, migrateUp, migrationStatus } from '../src/platform/migrate.ts'
import { VERSION } from '../src/version.ts'
import { argumentsOf, execForm, readStages } from './helpers/documents/dockerfile.ts'
import { newcomersEnvironment } from './helpers/documents/readme.ts'
import { childOptions } from './helpers/programs/child-environment.ts'
import { runCommand } from './helpers/programs/command.ts'
import { freePort } from './helpers/programs/free-port.ts'
import { runWarm } from './helpers/programs/keyturn.ts'
import { type ServerProcess, startProcess } from './helpers/programs/process.ts'
import { remote } from './helpers/programs/remote.ts'
import { which } from './helpers/programs/which.ts'
import { eventually } from './helpers/requests/eventually.ts'
import { CHEAP_HASHES, enrol, login, nextCode, startService } from './helpers/service/service.ts'

/** Either the service starts and serves, or it says in a plain sentence why not, and ends. */

const KEY = randomBytes(32).toString('base64')

/**
 * Starts the server where it must not start, and looks at what it says.
 *
 * @param options of the process, where it has one of its own.
 */
async function refusesToStart(
  t: Test,
  environment: Record<string, string>,
  sentence: RegExp,
  options?: { uid?: number },
): Promise<string> {
  const { code, stderr } = await (options
    ? runCommand(t, ['src/cli/keyturn.js', 'serve'], environment, options).ended
    : runWarm(['serve'], environment))
  t.equal(code, 1)
  t.match(stderr, sentence)
  t.equal(stderr.trimEnd().split('\n').length, 1, `one line: ${stderr}`)
  t.notMatch(stderr, /\n +at |Error:|node:/, 'no stack trace')
  return stderr
}

/** A service has been there, under KEY, and has ended. */
async function serveOnce(t: Test, databaseUrl: string): Promise<void> {
  const service = await startService(t, { databaseUrl, rootKeys: [Buffer.from(KEY, 'base64')] })
  await service.close()
}

t.test('a bad configuration is refused with all its faults named', async (t) => {
  const environment = { PORT: 'http', JWT_ALG: 'none', ACCESS_TOKEN_TTL: '0', SECRET_KEY: 'short' }
  const { code, stdout, stderr } = await runWarm(['serve'], environment)
  t.equal(code, 1)
  t.equal(stdout, '')
  for (const name of Object.keys(environment)) t.match(stderr, new RegExp(`^ {2}${name}\\b`, 'm'))
  t.equal(stderr.trimEnd().split('\n').length, 5, stderr)
})

t.test('a start on SQLite reads no library that waits for its first use', async (t) => {
  const service = runCommand(t, ['test/helpers/programs/print-packages.ts'], {
    SECRET_KEY: KEY,
    DATABASE_URL: `sqlite:${t.testdir()}/keyturn.db`,
    PORT: '0',
  })
  await service.line('"msg":"ready"')
  service.signal('SIGINT')
  const { stdout } = await service.ended
  const files = stdout.split('\n').filter((line) => line !== '' && !/^(\{|node:)/.test(line))
  const packages = new Set(files.map((file) => /^((@[^/]+\/)?[^/]+)\//.exec(file)?.[1]))
  for (const name of ['kysely', 'better-sqlite3']) t.ok(packages.has(name), `it reads ${name}`)
  for (const name of ['ajv', 'ioredis', 'nodemailer', 'pg', 'prom-client', 'qrcode'])
    t.notOk(packages.has(name), `not ${name}`)
  t.ok(files.length < 1_400, `${files.length} files`)
})

t.test('a file that is no database is refused and left alone', async (t) => {
  const path = `${t.testdir({ 'letter.txt': 'Dear Ada, '.repeat(1000) })}/letter.txt`
  await refusesToStart(t, { DATABASE_URL: `sqlite:${path}` }, /letter\.txt is not a SQLite database/)
  t.equal(readFileSync(path, 'utf8'), 'Dear Ada, '.repeat(1000))
})

t.test('a database whose first page is damaged is refused', async (t) => {
  const path = `${t.testdir()}/keyturn.db`
  new BetterSqlite3(path).exec('create table a (b); create table c (d)').close()
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.fill(0xff, 100, 4096))
  await refusesToStart(
    t,
    { DATABASE_URL: `sqlite:${path}` },
    /keyturn\.db is (damaged|not a SQLite database)/,
  )
})

t.test('a folder in place of a database is refused', async (t) => {
  const path = `${t.testdir({ 'keyturn.db': {} })}/keyturn.db`
  await refusesToStart(t, { DATABASE_URL: `sqlite:${path}` }, /keyturn\.db cannot be opened/)
})

t.test('a file in place of a folder is refused', async (t) => {
  const path = `${t.testdir({ data: 'x' })}/data/keyturn.db`
  await refusesToStart(t, { DATABASE_URL: `sqlite:${path}` }, /data\/keyturn\.db cannot be opened/)
})

t.test('a database that cannot be written is refused', async (t) => {
  const uid = process.getuid?.() === 0 ? 65534 : undefined
  const seesProject = () =>
    spawnSync(process.execPath, ['--check', 'src/cli/keyturn.js'], uid === undefined ? {} : { uid })
      .status === 0
  if (uid !== undefined && !seesProject()) return t.comment('skipped: the other user cannot read this folder')
  const folder = t.testdir()
  const path = `${folder}/keyturn.db`
  new BetterSqlite3(path).exec('create table a (b)').close()
  chmodSync(path, 0o444)
  chmodSync(folder, 0o555)
  const options = uid === undefined ? {} : { uid }
  try {
    for (const target of [path, `${folder}/other.db`, `${folder}/new/keyturn.db`])
      await refusesToStart(t, { DATABASE_URL: `sqlite:${target}` }, /cannot be opened for writing/, options)
    t.strictSame(readdirSync(folder), ['keyturn.db'], 'nothing was made there')
  } finally {
    chmodSync(folder, 0o755)
  }
})

t.test('a database of a newer version is refused and left alone', async (t) => {
  const path = `${t.testdir()}/keyturn.db`
  const environment = { DATABASE_URL: `sqlite:${path}`, SECRET_KEY: KEY }
  await serveOnce(t, environment.DATABASE_URL)
  const db = new BetterSqlite3(path)
  const newer = { name: '9999-of-the-future--from-9.0.0', timestamp: '2099-01-01T00:00:00.000Z' }
  db.prepare('insert into kysely_migration (name, timestamp) values (@name, @timestamp)').run(newer)
  const schema = () => db.prepare('select * from sqlite_master').all()
  const before = schema()
  await refusesToStart(
    t,
    environment,
    /^This is Keyturn .* can be served from 9\.0\.0 on. Install that version or a newer one/,
  )
  t.strictSame(schema(), before)
  db.close()
})

t.test('a port that is taken is named, and nothing keeps the process from ending', async (t) => {
  const other = createServer((socket) => socket.resume())
  const port = await freePort()
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve))
  t.teardown(() => other.close())
  const DATABASE_URL = `sqlite:${t.testdir()}/keyturn.db`
  const environment = { DATABASE_URL, REDIS_URL: `redis://127.0.0.1:${port}`, PORT: String(port) }
  t.match(await refusesToStart(t, environment, /port is taken/, {}), String(port))
})

t.test('an address that is not of this machine is named', async (t) => {
  const folder = t.testdir()
  for (const HOST of ['192.0.2.1', 'no-such-host.invalid'])
    t.match(
      await refusesToStart(t, { DATABASE_URL: `sqlite:${folder}/keyturn.db`, HOST }, /cannot listen/),
      HOST,
    )
})

t.test('another SECRET_KEY does not open an existing database', async (t) => {
  const folder = t.testdir()
  const DATABASE_URL = `sqlite:${folder}/keyturn.db`
  await serveOnce(t, DATABASE_URL)
  const other = randomBytes(32).toString('base64')
  const db = await openDatabase(DATABASE_URL)
  t.teardown(() => db.destroy())
  await migrateDown(db)
  await refusesToStart(t, { DATABASE_URL, SECRET_KEY: other }, /SECRET_KEY is not the key/)
  t.equal((await migrationStatus(db)).at(-1)?.appliedAt, null, 'and nothing was migrated before that')
  await refusesToStart(t, { DATABASE_URL }, /keyturn\.key is not there.*SECRET_KEY/)
  t.notOk(existsSync(`${folder}/keyturn.key`), 'and no key is made that could not open it')
  const both = await startProcess(t, { DATABASE_URL, SECRET_KEY: `${other},${KEY}` })
  t.equal((await remote(both.url).get('/readyz')).status, 200, 'the old key, given too, still opens')
})

t.test('without a SECRET_KEY one is made, for its owner alone, and used again', async (t) => {
  const folder = t.testdir()
  const environment = { DATABASE_URL: `sqlite:${folder}/deeper/keyturn.db` }
  const keyFile = `${folder}/deeper/keyturn.key`
  const first = await startProcess(t, environment)
  const key = readFileSync(keyFile, 'utf8')
  t.equal(statSync(keyFile).mode & 0o777, 0o600)
  t.equal(Buffer.from(key, 'base64').length, 32)
  const { accessToken } = await enrol(remote(first.url))
  first.signal('SIGINT')
  t.equal((await first.ended).code, 0)

  const second = await startProcess(t, { ...environment, ISSUER: first.url })
  t.equal(readFileSync(keyFile, 'utf8'), key)
  t.equal((await remote(second.url).get('/me', accessToken)).status, 200, 'a restart ends no session')
  t.strictSame(
    readdirSync(`${folder}/deeper`).filter((name) => name.includes('key.')),
    [],
    'nothing is left over',
  )
})

t.test('a key file that holds no key is refused, not overwritten', async (t) => {
  const folder = t.testdir()
  const db = await openDatabase(`sqlite:${folder}/keyturn.db`)
  await migrateUp(db)
  await db.destroy()
  writeFileSync(`${folder}/keyturn.key`, 'not a key\n')
  await refusesToStart(t, { DATABASE_URL: `sqlite:${folder}/keyturn.db` }, /keyturn\.key does not hold a key/)
  t.equal(readFileSync(`${folder}/keyturn.key`, 'utf8'), 'not a key\n')
})

t.test('in production no key is made', async (t) => {
  const folder = t.testdir()
  const environment = { DATABASE_URL: `sqlite:${folder}/keyturn.db`, NODE_ENV: 'production' }
  const { code, stderr } = await runWarm(['serve'], environment)
  t.equal(code, 1)
  t.match(stderr, /SECRET_KEY must be set/)
  t.strictSame(readdirSync(folder), [])
})

t.test('processes that start at once on a fresh file agree on one of everything', async (t) => {
  const folder = t.testdir()
  mkdirSync(`${folder}/data`)
  const environment = { DATABASE_URL: `sqlite:${folder}/data/keyturn.db`, ISSUER: 'https://id.example' }
  const servers = await Promise.all([1, 2, 3].map(() => startProcess(t, environment)))
  const [one, two, three] = servers.map(({ url }) => remote(url))
  if (!one || !two || !three) throw new Error('three servers were started')
  const keySets = await Promise.all([one, two, three].map((server) => server.get('/.well-known/jwks.json')))
  t.equal(keySets[0]?.body.keys.length, 1)
  for (const { body } of keySets) t.strictSame(body, keySets[0]?.body)
  const files = readdirSync(`${folder}/data`).filter((name) => !/-(wal|shm)$/.test(name))
  t.strictSame(files.sort(), ['keyturn.db', 'keyturn.key'])

  const { accessToken } = await enrol(one)
  t.equal((await two.get('/me', accessToken)).status, 200, 'a token of one is good at the others')
  t.equal((await three.get('/me', accessToken)).status, 200)
})

/** What a service said in its life, which ends with a signal. */
interface Life {
  signal: NodeJS.Signals
  /** What it answered at `/`. */
  root: unknown
  /** The status of `/readyz`. */
  ready: number
  code: number | null
  /** The lines of its log. */
  log: Record<string, unknown>[]
  stderr: string
  /** Whether it left a write-ahead log: then it did not close its database. */
  leftLog: boolean
}

const folderOfLives = t.testdir({})

/** @param first what happens to it before it is asked anything. */
async function live(
  signal: NodeJS.Signals,
  environment: Record<string, string>,
  first?: (server: ServerProcess) => Promise<void>,
): Promise<Life> {
  const path = `${folderOfLives}/${randomUUID()}.db`
  const server = await startProcess(t, { DATABASE_URL: `sqlite:${path}`, ...environment })
  await first?.(server)
  const { body: root } = await server.get('/')
  const { status: ready } = await server.get('/readyz')
  server.signal(signal)
  const { code, stdout, stderr } = await server.ended
  const log = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  return { signal, root, ready, code, log, stderr, leftLog: existsSync(`${path}-wal`) }
}

/** Settings without a value count as not set. */
const withoutValues = (settings: object) =>
  Object.fromEntries(Object.keys(settings).map((name) => [name, '']))

/** Several tests look at these. */
const LIVES = {
  here: { HOST: '127.0.0.1', ISSUER: '', HASH_ENGINE: 'node-rs' },
  everywhere: { HOST: '0.0.0.0', ISSUER: '', HASH_ENGINE: 'argon2' },
  // Its hashes cost what they cost by default.
  named: { HOST: '0.0.0.0', ISSUER: 'https://id.example.com', ...withoutValues(CHEAP_HASHES) },
}
let lives: Promise<Record<keyof typeof LIVES, Life>> | undefined
const allLives = () =>
  (lives ??= (async () => ({
    here: await live('SIGTERM', LIVES.here, async (server) => {
      server.signal('SIGUSR1')
      server.signal('SIGHUP')
      await server.line('SIGHUP does nothing')
    }),
    everywhere: await live('SIGINT', LIVES.everywhere),
    named: await live('SIGINT', LIVES.named),
  }))())

const said = ({ log }: Life, pattern: RegExp) => log.some(({ msg }) => pattern.test(String(msg)))

t.test('SIGTERM and SIGINT end it in order', async (t) => {
  const { here, everywhere } = await allLives()
  for (const { signal, code, log, stderr, leftLog } of [here, everywhere]) {
    t.equal(code, 0, signal)
    t.ok(
      log.some((line) => line.signal === signal),
      'the log names the signal',
    )
    t.equal(stderr, '')
    t.notOk(leftLog, 'the database was closed: no write-ahead log is left')
  }
  t.strictSame([here.signal, everywhere.signal], ['SIGTERM', 'SIGINT'])
})

t.test('/readyz answers after the start, also at the default cost of a hash', async (t) => {
  const { named } = await allLives()
  t.equal(named.ready, 200)
  t.notOk(said(named, /cheaper than OWASP/))
})

t.test('a change from ES256 to EdDSA leaves the tokens of before valid', async (t) => {
  const before = await startService(t, { environment: { JWT_ALG: 'ES256' } })
  const ada = await enrol(before)
  await before.close()

  const { databaseUrl, clock } = before
  const service = await startService(t, { databaseUrl, clock, environment: { JWT_ALG: 'EdDSA' } })
  t.equal(decodeProtectedHeader(ada.accessToken).alg, 'ES256')
  t.equal((await service.get('/me', ada.accessToken)).status, 200)
  const code = nextCode(service, ada)
  const { body } = await service.post('/2fa/verify', { code }, await login(service))
  t.equal(decodeProtectedHeader(body.access_token).alg, 'ES256', 'until every verifier can know the new key')
  t.equal((await service.get('/me', body.access_token)).status, 200)
  const { keys } = (await service.get('/.well-known/jwks.json')).body
  t.strictSame(
    keys.map(({ alg }: { alg: string }) => alg),
    ['ES256', 'EdDSA'],
    'both keys are published',
  )
})

t.test('the log says which library hashes passwords, and what a hash takes here', async (t) => {
  const { here, everywhere } = await allLives()
  for (const [life, engine] of [
    [here, 'node-rs'],
    [everywhere, 'argon2'],
  ] as const) {
    const { hash_engine, hash_ms } = life.log.find(({ msg }) => msg === 'ready') ?? {}
    t.match(hash_engine, new RegExp(`^${engine}\\b`))
    t.type(hash_ms, 'number')
  }
})

t.test('a hash that is too cheap is named in the log', async (t) => {
  t.ok(said((await allLives()).here, /cheaper than OWASP/))
})

t.test('the version is in the first line of the log and at GET /', async (t) => {
  const { root, log } = (await allLives()).here
  t.match(root, { name: 'Keyturn', version: VERSION })
  t.match(log[0], { msg: 'starting', version: VERSION, node: process.version })
})

t.test('SIGUSR2 has the log tell everything, and the next one as much as before', async (t) => {
  const server = await startProcess(t, {
    DATABASE_URL: `sqlite:${t.testdir()}/keyturn.db`,
    LOG_LEVEL: 'warn',
  })
  server.signal('SIGUSR2')
  await server.line('"log_level":"debug"')
  t.equal((await remote(server.url).get('/me')).status, 401)
  await server.line('"msg":"request refused"')
  server.signal('SIGUSR2')
  await server.line('"log_level":"warn"')
  server.signal('SIGINT')
  const { code, stdout } = await server.ended
  t.equal(code, 0)
  t.notMatch(stdout, /"msg":"ending"/, 'which is info')
})

t.test('SIGHUP and SIGUSR1 do no harm: the service goes on, and opens no inspector', async (t) => {
  const { here } = await allLives()
  t.ok(said(here, /SIGHUP does nothing/))
  t.equal(here.ready, 200)
  t.equal(here.stderr, '')
})

t.test('an address that no client can reach is named when ISSUER is not set', async (t) => {
  const { here, everywhere, named } = await allLives()
  const unreachable = /ISSUER is not set, so every token names http:\/\/0\.0\.0\.0:\d+,/
  t.ok(said(everywhere, unreachable))
  t.notOk(said(named, unreachable), 'ISSUER is set')
  t.notOk(said(here, unreachable), 'a client on this machine can reach it')
  const unset = /Settings without a value count as not set.*: ISSUER/
  t.ok(said(everywhere, unset))
  t.ok(said(here, unset))
  t.notOk(said(named, unset))
})

const ROOT = fileURLToPath(new URL('..', import.meta.url))

t.test('a signal to npm start reaches the service', async (t) => {
  const PORT = String(await freePort())
  const DATABASE_URL = `sqlite:${t.testdir()}/keyturn.db`
  const npm = spawn('npm', ['start'], {
    cwd: ROOT,
    env: { ...newcomersEnvironment, PORT, DATABASE_URL },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
  const ended = once(npm, 'exit')
  t.teardown(() => {
    try {
      process.kill(-Number(npm.pid), 'SIGKILL')
    } catch {}
  })
  const answers = () =>
    fetch(`http://127.0.0.1:${PORT}/livez`).then(
      ({ ok }) => ok,
      () => false,
    )
  await eventually('it serves', answers)
  npm.kill('SIGTERM')
  await ended
  await eventually('the port is free', async () => !(await answers()))
})

const scriptMissing = which('script') ? false : 'script is missing: apt-get install bsdutils'

t.test('on a terminal people are told where it is, and read the log', { skip: scriptMissing }, async (t) => {
  const PORT = String(await freePort())
  const { cwd, env } = childOptions({ PORT, DATABASE_URL: `sqlite:${t.testdir()}/keyturn.db`, NO_COLOR: '1' })
  const command = `${process.execPath} ${ROOT}/src/cli/keyturn.js serve`
  const terminal = spawn('env', ['-u', 'NODE_OPTIONS', 'script', '-qec', command, '/dev/null'], {
    cwd,
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  t.teardown(() => terminal.kill('SIGKILL'))
  let text = ''
  terminal.stdout.setEncoding('utf8').on('data', (words: string) => {
    text += words
  })
  await eventually('it says what to do next', async () => text.includes('Ctrl+C'))
  await fetch(`http://127.0.0.1:${PORT}/me`, { headers: { 'user-agent': 'x' } })
  await eventually('the request is in the log', async () => text.includes('status=401'))
  terminal.stdin.write('\u0003')
  await once(terminal, 'exit')
  t.match(text, new RegExp(`Keyturn ${VERSION} is ready\\.`))
  t.match(text, `http://127.0.0.1:${PORT}/docs`)
  t.match(text, /^\d\d:\d\d:\d\d info {2}request request_id=\S+ method=GET route=\/me status=401/m)
  t.match(text, /info {2}database migrated migrations=\d+ newest=\d{4}-\S+\s*$/m)
  t.notMatch(text, '0001-accounts', 'nine lines of names')
  t.notMatch(text, /^\{/m, 'no JSON')
})

t.test('the image runs what npm start runs', async (t) => {
  const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const service = readStages(new URL('../Dockerfile', import.meta.url)).at(-1) ?? []
  t.equal(`exec ${execForm(argumentsOf(service, 'CMD')[0]).join(' ')}`, scripts.start)
})
