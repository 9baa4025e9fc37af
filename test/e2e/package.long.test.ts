import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { newcomersEnvironment } from '../helpers/documents/readme.ts'
import { claimsOf } from '../helpers/people/sessions.ts'
import { freePort } from '../helpers/programs/free-port.ts'
import { cannotBuildHash } from '../helpers/programs/own-argon2.ts'
import { remote } from '../helpers/programs/remote.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { startListening } from '../helpers/service/listening.ts'
import { enrol, PASSWORD } from '../helpers/service/service.ts'

/** What others install are the packed packages, in a project of their own that knows nothing of this one. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TSC = `${ROOT}/node_modules/typescript/bin/tsc`
const { version, engines } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8'))

const { NODE_EXTRA_CA_CERTS } = process.env

/** The machine may have an older Node.js, which the package refuses, and a proxy with an authority of its own. */
const presentNode = {
  ...newcomersEnvironment,
  ...(NODE_EXTRA_CA_CERTS && { NODE_EXTRA_CA_CERTS }),
  PATH: `${dirname(process.execPath)}${delimiter}${newcomersEnvironment.PATH}`,
}

interface Ran {
  code: number
  stdout: string
  stderr: string
}

/** By way of env, so that the test runner does not put its own instruments into the process. */
const run = (program: string, parameters: string[], cwd: string, env: NodeJS.ProcessEnv = presentNode) =>
  promisify(execFile)('env', ['-u', 'NODE_OPTIONS', program, ...parameters], { cwd, env }).then(
    (output): Ran => ({ ...output, code: 0 }),
    (failed): Ran => failed,
  )

async function npm(cwd: string, ...parameters: string[]): Promise<string> {
  const { code, stdout, stderr } = await run('npm', parameters, cwd)
  if (code !== 0) throw new Error(stderr)
  return stdout
}

/** Packs a folder of this project into another one. */
async function pack(folder: string, into: string): Promise<{ file: string; names: string[] }> {
  const stdout = await npm(ROOT, 'pack', folder, '--json', '--silent', '--pack-destination', into)
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('[\n')))
  return { file: `./${filename}`, names: files.map(({ path }: { path: string }) => path) }
}

/** An empty project with packages of this one in it. No scripts: none of what is installed needs one. */
async function install(cwd: string, ...files: string[]): Promise<void> {
  await npm(cwd, 'install', '--silent', '--prefer-offline', '--ignore-scripts', ...files)
}

/** An empty project. Not in this one, whose node_modules would be found from below it. */
function emptyProject(t: Test, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-package-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const manifest = JSON.stringify({ name: 'consumer', private: true, type: 'module' })
  for (const [name, text] of Object.entries({ 'package.json': manifest, ...files }))
    writeFileSync(join(folder, name), text)
  return folder
}

const HOST = `import Fastify from 'fastify'
import keyturn from 'keyturn'

const app = Fastify({ pluginTimeout: 0 })
await app.register(keyturn, { prefix: '/auth', issuer: 'http://localhost:4000/auth', databaseUrl: 'sqlite::memory:' })
console.log((await app.inject('/auth/')).json().version)
await app.close()
`

/** A service that checks a token of another one. */
const CHECK = `import { createVerifier } from 'keyturn/verify'

const [issuer, token] = process.argv.slice(2)
console.log((await createVerifier({ issuer })('Bearer ' + token)).username)
`

t.test('the packed service runs in an empty project, and so do its commands and its plugin', async (t) => {
  const folder = emptyProject(t, { 'host.js': HOST, 'check.js': CHECK, 'rows.csv': 'username\nada\n' })
  const { file, names } = await pack('.', folder)
  t.strictSame(names.filter((name) => !/^(dist|deploy)\//.test(name)).sort(), [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'SECURITY.md',
    'package.json',
    'src/cli/keyturn.js',
  ])
  t.strictSame(names.filter((name) => name.endsWith('.ts')).sort(), [
    'dist/src/index.d.ts',
    'dist/src/service-options.d.ts',
    'dist/src/verify.d.ts',
  ])
  await install(folder, file, 'jose')

  t.test('on the Node.js that develops it', (t) => serves(t, folder, presentNode))
  t.test('on the oldest one that it takes', async (t) => {
    const oldest = engines.node.replace('>=', '')
    const other = emptyProject(t, {})
    await npm(other, 'install', '--silent', '--prefer-offline', `node@~${oldest}.0`)
    const env = { ...presentNode, PATH: `${other}/node_modules/node/bin${delimiter}${presentNode.PATH}` }
    t.match((await run('node', ['--version'], folder, env)).stdout, `v${oldest}.`)
    await serves(t, folder, env)
  })

  t.test('the hash is compiled for this processor', { skip: cannotBuildHash }, async (t) => {
    const ran = await run('npx', ['--no-install', 'keyturn', 'build-hash', '--json'], folder)
    t.equal(ran.code, 0, ran.stderr)
    t.match(JSON.parse(ran.stdout || '{}'), {
      built_for: /^avx/,
      engines: [{ name: /built for/ }],
    })
  })

  t.test('an older one is told which one is needed', async (t) => {
    const { stdout: old } = await run('node', ['--version'], folder, newcomersEnvironment)
    if (!/^v20\./.test(old)) return t.comment(`skipped: the machine has Node.js ${old}`)
    const sentence = /^Keyturn needs Node\.js [\d.]+ or newer; this is v20\.\S+\n$/
    for (const command of ['serve', '--version']) {
      const refused = await run('npx', ['--no-install', 'keyturn', command], folder, newcomersEnvironment)
      t.match(refused, { code: 1, stdout: '', stderr: sentence })
    }
    const { code, stderr } = await run('node', ['host.js'], folder, newcomersEnvironment)
    t.equal(code, 1)
    t.match(stderr, /Keyturn needs Node\.js/)
    t.notMatch(stderr, /^ +at /m, 'no trace')
  })
})

/** All that the package promises, in a folder where it is installed and nothing was set up yet. */
async function serves(t: Test, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  for (const name of ['.env', 'data']) rmSync(`${folder}/${name}`, { recursive: true, force: true })
  const npx = ['--no-install', 'keyturn']
  const keyturn = (...parameters: string[]) => run('npx', [...npx, ...parameters], folder, env)

  t.match(await keyturn('--version'), { stdout: `${version}\n`, stderr: '' })
  t.match(await keyturn('init'), { code: 0 })
  t.equal(statSync(`${folder}/.env`).mode & 0o777, 0o600)
  t.match(JSON.parse((await keyturn('openapi')).stdout), { openapi: /^3\.1/ })
  t.match(await run('node', ['host.js'], folder, env), { stdout: `${version}\n`, stderr: '' })

  const service = await serve(t, folder, env)
  t.equal((await remote(service.url).get('/')).body.version, version)
  const { accessToken } = await enrol(remote(service.url))
  t.match((await remote(service.url).get('/me', accessToken)).body, { two_factor_enabled: true })
  const checked = await run('node', ['check.js', claimsOf(accessToken).iss, accessToken], folder, env)
  t.match(checked, { stdout: 'ada\n', stderr: '' }, 'keyturn/verify takes its token')
  t.match((await keyturn('users', 'list')).stdout, /ada/, 'the command line finds the same database')
  t.equal((await remote(service.url).get('/docs/')).status, 200)
  // To npx alone: the shell between it and the service passes no signal on.
  service.npx.kill('SIGTERM')
  await eventually('the port is free', async () => !(await isAlive(service.url)))

  const traced = { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }
  const untraced = await run('npx', [...npx, 'serve'], folder, traced)
  t.match(untraced, { code: 1, stderr: /Traces need two more packages: npm install @opentelemetry\/api/ })
  t.match(await keyturn('import', 'rows.csv'), {
    code: 1,
    stderr: /^Reading CSV needs one more package: .*$/m,
  })
}

/** `npx keyturn serve` in a folder, once it serves. */
async function serve(t: Test, cwd: string, env: NodeJS.ProcessEnv) {
  const PORT = String(await freePort())
  const url = `http://127.0.0.1:${PORT}`
  const npx = spawn('npx', ['--no-install', 'keyturn', 'serve'], {
    cwd,
    env: { ...env, PORT },
    stdio: 'ignore',
    detached: true,
  })
  const ended = once(npx, 'exit')
  t.teardown(async () => {
    try {
      process.kill(-Number(npx.pid), 'SIGKILL')
    } catch {}
    await ended
  })
  await eventually('it serves', () => isAlive(url))
  return { npx, url }
}

const isAlive = (url: string) =>
  fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  )

const PROGRAM = `import { createClient, unwrap } from 'keyturn-client'

const client = createClient({ url: process.argv[2] ?? '' })
const { user, mfa_required } = unwrap(
  await client.POST('/register', { body: { username: 'ada', password: '${PASSWORD}' } }),
)
const { error } = await client.POST('/login', { body: { username: 'ada', password: 'wrong' } })
if (error?.code === 'invalid_credentials') console.log(user.username, mfa_required, error.status)
`

/** What a type check must find: a path, a member and a code that do not exist. */
const MISTAKES = `import { createClient } from 'keyturn-client'
const client = createClient({ url: '' })
await client.POST('/regster', { body: { username: 'ada', password: 'x' } })
await client.POST('/login', { body: { user: 'ada', password: 'x' } })
const { error } = await client.GET('/me')
if (error?.code === 'wrong_token') console.log(error)
`

const MOST_BYTES = 2 * 1024 * 1024

t.test(
  'the packed client runs in an empty project, is typed there, small, and without native code',
  async (t) => {
    const compilerOptions = { module: 'NodeNext', target: 'ES2022', lib: ['ES2022', 'DOM'], strict: true }
    const folder = emptyProject(t, {
      'tsconfig.json': JSON.stringify({
        compilerOptions: { ...compilerOptions, noEmit: true, types: ['node'] },
        files: ['program.ts'],
      }),
      'program.ts': PROGRAM,
    })
    const { file } = await pack('./src/sdk', folder)
    await install(folder, file)
    const installed = globSync('node_modules/**', { cwd: folder, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => `${parentPath}/${name}`)
    t.ok(installed.reduce((sum, path) => sum + statSync(path).size, 0) < MOST_BYTES)
    t.strictSame(
      installed.filter((path) => path.endsWith('.node') || path.endsWith('binding.gyp')),
      [],
    )
    const page = readFileSync(`${ROOT}/openapi/examples/single-page-app/index.html`, 'utf8')
    const mapped = [...page.matchAll(/"\.\/(node_modules\/[^"]+)"/g)].map(([, path]) => path ?? '')
    t.strictSame(
      mapped.map((path) => [path, statSync(join(folder, path)).isFile()]),
      [
        ['node_modules/keyturn-client/dist/index.js', true],
        ['node_modules/openapi-fetch/dist/index.mjs', true],
      ],
      'the import map of the example finds them',
    )
    const client = JSON.parse(readFileSync(`${ROOT}/src/sdk/package.json`, 'utf8'))
    t.equal(client.version, version, 'both have one version')

    await install(folder, '@types/node')

    const { issuer } = await startListening(t, { databaseUrl: `sqlite:${folder}/keyturn.db` })
    t.match(await run(process.execPath, ['program.ts', issuer], folder), { stdout: 'ada true 401\n' })

    const check = () => run(process.execPath, [TSC, '-p', folder], folder)
    t.match(await check(), { code: 0, stdout: '' })
    writeFileSync(`${folder}/program.ts`, MISTAKES)
    const { stdout: found } = await check()
    for (const mistake of [/\(3,.*regster/, /\(4,.*user/, /\(6,.*wrong_token/]) t.match(found, mistake)
  },
)
