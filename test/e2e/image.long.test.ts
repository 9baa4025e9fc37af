import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { type Config, readConfig } from '../../src/config.ts'
import { argumentsOf, execForm, readStages } from '../helpers/documents/dockerfile.ts'
import { freePort } from '../helpers/programs/free-port.ts'
import { cannotBuildHash } from '../helpers/programs/own-argon2.ts'
import { which } from '../helpers/programs/which.ts'
import { eventually } from '../helpers/requests/eventually.ts'

// There is no container engine where these tests run: the steps of the Dockerfile are taken in a folder.

const run = promisify(execFile)
const ROOT = new URL('../../', import.meta.url)
const [build = [], service = []] = readStages(new URL('Dockerfile', ROOT))

/** Files that a stage copies from the build context, not from another stage. */
const copiedFromContext = (stage: typeof service) =>
  argumentsOf(stage, 'COPY')
    .filter((text) => !text.startsWith('--from'))
    .flatMap((text) => text.split(' ').slice(0, -1))

t.test('the image is made of what .dockerignore lets in, and runs as another user than root', async (t) => {
  const letIn = readFileSync(new URL('.dockerignore', ROOT), 'utf8').match(/(?<=^!).+$/gm) ?? []
  const copied = copiedFromContext(build).map((path) => path.replace('./', ''))
  t.same(copied.sort(), letIn.sort())
  t.same(copiedFromContext(service), [], 'and what is in the end is what the first stage made')
  t.same(argumentsOf(service, 'USER'), ['node'])
})

// biome-ignore lint/suspicious/noExplicitAny: a test looks into any part of it
const composed = (path: string): Record<string, any> =>
  parse(readFileSync(new URL(path, ROOT), 'utf8'), { merge: true }).services
const services = composed('docker-compose.yml')

/** What a service of a compose file is configured to when what it asks for is given, and nothing else. */
function configOf(t: Test, { environment }: { environment: Record<string, string> }): Readonly<Config> {
  t.match(environment.SECRET_KEY, /^\$\{SECRET_KEY:\?/, 'a key is asked for')
  const settings = Object.entries(environment).map(([name, value]) => [
    name,
    ASKED[name] && value.startsWith(`\${${name}:?`) ? ASKED[name] : value.replace(/^\$\{\w+:?-(.*)\}$/, '$1'),
  ])
  return readConfig({ ...Object.fromEntries(settings), NODE_ENV: 'production' })
}

/** An answer for each setting that a compose file may ask for. */
const ASKED: Record<string, string> = {
  SECRET_KEY: randomBytes(32).toString('base64'),
  ISSUER: 'https://id.example.com',
  SMTP_URL: 'smtps://user:password@mail.example.com',
  MAIL_FROM: 'Keyturn <keyturn@example.com>',
}

t.test('docker-compose.yml asks for a key, and the service accepts its settings', async (t) => {
  const smtpUrl = 'smtp://mailpit:1025?ignoreTLS=true'
  t.match(configOf(t, services.keyturn), { issuer: 'http://localhost:3000', smtpUrl })
  t.notOk(services.keyturn.profiles, 'it is what is started when no profile is named')
})

t.test('the replicas of docker-compose.yml are alike, and nginx and they know each other', async (t) => {
  const nginxConf = readFileSync(new URL('deploy/scale/nginx.conf', ROOT), 'utf8')
  const servers = [...nginxConf.matchAll(/server ([\w-]+):(\d+) /g)].map(([, name, port]) => [name, port])
  t.same(
    servers,
    ['replica-1', 'replica-2', 'replica-3'].map((name) => [name, '3000']),
  )
  const addresses = ['nginx', ...servers.map(([name = '']) => name)].map(
    (name) => services[name].networks.front.ipv4_address,
  )
  t.equal(new Set(addresses).size, 4)
  for (const [name = ''] of servers) {
    t.same(configOf(t, services[name]).trustProxy, [addresses[0]], 'nginx alone is believed')
    t.match(configOf(t, services[name]), { issuer: 'http://localhost:8080', redisUrl: 'redis://redis' })
    t.same(services[name].environment, services['replica-1'].environment)
    t.ok(services.nginx.depends_on[name], 'nginx waits for it')
  }
  t.ok(nginxConf.includes(`listen ${services.nginx.ports[0].split(':').at(-1)};`))
})

t.test(
  'the compose file for production asks for what is secret, locks what runs, and shows every replica',
  async (t) => {
    const production = composed('docker-compose.production.yml')
    const replicas = Object.keys(production).filter((name) => name.startsWith('replica-'))
    t.equal(replicas.length, 3)
    const { names, port } = parse(readFileSync(new URL('deploy/monitoring/prometheus.yml', ROOT), 'utf8'))
      .scrape_configs[0].dns_sd_configs[0]
    for (const [file, name] of [
      ...replicas.map((name) => [production, name] as const),
      ...replicas.map((name) => [services, name] as const),
      [services, 'keyturn'] as const,
    ]) {
      t.same(file[name].networks.default.aliases, names, `Prometheus finds ${name}`)
      t.equal(Number(file[name].environment.METRICS_PORT), port)
      t.match(file[name], { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
    }
    for (const name of replicas) {
      t.same(production[name].environment, production['replica-1'].environment)
      t.match(production[name].image, /^\$\{KEYTURN_IMAGE:\?/, 'the image has to be named')
      t.ok(production.nginx.depends_on[name])
    }
    const { environment } = production['replica-1']
    for (const name of Object.keys(ASKED)) t.match(environment[name], new RegExp(`^\\$\\{${name}:\\?`))
    t.match(configOf(t, production['replica-1']), {
      trustProxy: [production.nginx.networks.front.ipv4_address],
      issuer: ASKED.ISSUER,
      smtpUrl: ASKED.SMTP_URL,
    })
    t.notOk(
      Object.values(production).some(({ build }) => build),
      'nothing is built there',
    )
  },
)

const MOST_BYTES = 65e6

t.test('the steps of the Dockerfile need no compiler and make a service that is healthy', async (t) => {
  // Not in this project, whose node_modules would be found from below it.
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-image-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['bin', 'app', 'data']) mkdirSync(join(folder, name))
  const tools = 'base64 bash chmod env grep head mkdir node npm rm sh sleep uname'.split(' ')
  for (const tool of tools) symlinkSync(which(tool) ?? '', `${folder}/bin/${tool}`)
  // There is no user of that name here, and nothing is to be installed on this machine.
  for (const tool of ['chown', 'apt-get']) symlinkSync(which('true') ?? '', `${folder}/bin/${tool}`)
  const cwd = `${folder}/app`
  const path = { PATH: `${folder}/bin`, HOME: process.env.HOME }
  for (const file of copiedFromContext(build))
    cpSync(new URL(file, ROOT), `${cwd}/${file}`, { recursive: true })
  const take = async (step: string, env: NodeJS.ProcessEnv = path) =>
    run('sh', ['-c', step.replace('npm ci', 'npm ci --prefer-offline')], {
      cwd,
      env: { ...env, PORT: String(await freePort()) },
    })
  for (const step of argumentsOf(build, 'RUN')) await take(step)
  const built = `${cwd}/node_modules/argon2/keyturn/avx2/build/Release/argon2.node`
  t.notOk(existsSync(built))
  if (cannotBuildHash) t.comment(cannotBuildHash)
  else {
    for (const step of argumentsOf(build, 'RUN').filter((step) => step.includes('build-hash')))
      await take(step, { ...path, PATH: `${folder}/bin:${process.env.PATH}` })
    t.ok(existsSync(built), 'where there is a compiler, the hash is built for AVX2')
  }
  t.notOk(existsSync(`${cwd}/node_modules/tap`), 'no dependency of the development is in it')
  const files = globSync(`${cwd}/node_modules/**`, { withFileTypes: true }).filter((entry) => entry.isFile())
  const sizes = files.map(({ parentPath, name }) => statSync(`${parentPath}/${name}`).size)
  t.ok(sizes.reduce((sum, size) => sum + size, 0) < MOST_BYTES)
  const [cache = ''] = readdirSync(`${cwd}/node_modules/.cache/keyturn`)
  t.ok(readdirSync(`${cwd}/node_modules/.cache/keyturn/${cache}`).length > 100, 'what it runs is compiled')

  const port = String(await freePort())
  const variables = argumentsOf(service, 'ENV').join(' ').replace('/data/', `${folder}/data/`)
  const fixed = Object.fromEntries(variables.split(/ +/).map((pair) => pair.split(/=(.*)/s)))
  t.equal(fixed.NODE_ENV, 'production')
  const env = { ...path, ...fixed, PORT: port }
  const [command, ...parameters] = execForm(argumentsOf(service, 'CMD')[0])
  const [check, ...checkParameters] = execForm(argumentsOf(service, 'HEALTHCHECK')[0])
  const healthy = () =>
    run(check, checkParameters, { cwd, env }).then(
      () => true,
      () => false,
    )

  const missing = /SECRET_KEY must be set[\s\S]*ISSUER must be set/
  await t.rejects(run(command, parameters, { cwd, env }), missing, 'a key and an address must be given')
  t.notOk(await healthy(), 'nothing runs yet')

  const given = { SECRET_KEY: randomBytes(32).toString('base64'), ISSUER: 'https://id.example.com' }
  const child = spawn(command, parameters, { cwd, env: { ...env, ...given }, stdio: 'ignore' })
  const ended = once(child, 'exit')
  t.teardown(() => child.kill('SIGKILL'))
  await eventually('it is healthy', healthy)
  t.ok(existsSync(`${folder}/data/keyturn.db`), 'what must stay is in the volume')

  child.kill('SIGTERM')
  t.same(await ended, [0, null], 'it ends in peace when it is told to')
})
