import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { type Config, readConfig } from '../../src/config.ts'
import { argumentsOf, execForm, readStages } from '../helpers/dockerfile.ts'
import { freePort } from '../helpers/free-port.ts'
import { which } from '../helpers/which.ts'

// There is no container engine where these tests run: the steps of the Dockerfile are taken in a folder.

const run = promisify(execFile)
const ROOT = new URL('../../', import.meta.url)
const [dependencies = [], service = []] = readStages(new URL('Dockerfile', ROOT))

/** Files that a stage copies from the build context, not from another stage. */
const copiedFromContext = (stage: typeof service) =>
  argumentsOf(stage, 'COPY')
    .filter((text) => !text.startsWith('--from'))
    .flatMap((text) => text.split(' ').slice(0, -1))

t.test('the image is made of what .dockerignore lets in, and runs as another user than root', async (t) => {
  const letIn = readFileSync(new URL('.dockerignore', ROOT), 'utf8').match(/(?<=^!).+$/gm) ?? []
  const copied = [...copiedFromContext(dependencies), ...copiedFromContext(service)]
  t.same([...new Set(copied.map((path) => path.replace('./', '')))].sort(), letIn.sort())
  t.same(argumentsOf(service, 'USER'), ['node'])
})

const { services } = parse(readFileSync(new URL('docker-compose.yml', ROOT), 'utf8'), { merge: true })

/** What a service of docker-compose.yml is configured to when nothing but the key is given. */
function configOf(t: Test, name: string): Readonly<Config> {
  const { SECRET_KEY, ...environment } = services[name].environment as Record<string, string>
  t.match(SECRET_KEY, /^\$\{SECRET_KEY:\?/, 'a key is asked for')
  const settings = Object.entries(environment).map(([name, value]) => [
    name,
    value.replace(/^\$\{\w+:?-(.*)\}$/, '$1'),
  ])
  return readConfig({ ...Object.fromEntries(settings), SECRET_KEY: randomBytes(32).toString('base64') })
}

t.test('docker-compose.yml asks for a key, and the service accepts its settings', async (t) => {
  const smtpUrl = 'smtp://mailpit:1025?ignoreTLS=true'
  t.match(configOf(t, 'keyturn'), { issuer: 'http://localhost:3000', smtpUrl })
  t.notOk(services.keyturn.profiles, 'it is what is started when no profile is named')
})

t.test('the replicas of docker-compose.yml are alike, and nginx and they know each other', async (t) => {
  const nginxConf = readFileSync(new URL('src/operator/scale/nginx.conf', ROOT), 'utf8')
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
    t.same(configOf(t, name).trustProxy, [addresses[0]], 'nginx alone is believed')
    t.match(configOf(t, name), { issuer: 'http://localhost:8080', redisUrl: 'redis://redis' })
    t.same(services[name].environment, services['replica-1'].environment)
    t.ok(services.nginx.depends_on[name], 'nginx waits for it')
  }
  t.ok(nginxConf.includes(`listen ${services.nginx.ports[0].split(':').at(-1)};`))
})

t.test('the steps of the Dockerfile need no compiler and make a service that is healthy', async (t) => {
  // Not in this project, whose node_modules would be found from below it.
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-image-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['bin', 'app', 'data']) mkdirSync(join(folder, name))
  for (const tool of ['env', 'node', 'npm', 'sh']) symlinkSync(which(tool) ?? '', `${folder}/bin/${tool}`)
  const cwd = `${folder}/app`
  const path = { PATH: `${folder}/bin`, HOME: process.env.HOME }

  for (const file of [...copiedFromContext(dependencies), ...copiedFromContext(service)])
    cpSync(new URL(file, ROOT), `${cwd}/${file}`, { recursive: true })
  for (const step of argumentsOf(dependencies, 'RUN'))
    await run('sh', ['-c', `${step} --prefer-offline`], { cwd, env: path })
  t.notOk(existsSync(`${cwd}/node_modules/tap`), 'no dependency of the development is in it')

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

  await t.rejects(run(command, parameters, { cwd, env }), /SECRET_KEY must be set/, 'a key must be given')
  t.notOk(await healthy(), 'nothing runs yet')

  const secretKey = randomBytes(32).toString('base64')
  const child = spawn(command, parameters, { cwd, env: { ...env, SECRET_KEY: secretKey }, stdio: 'ignore' })
  const ended = once(child, 'exit')
  t.teardown(() => child.kill('SIGKILL'))
  for (let tries = 0; tries < 100 && !(await healthy()); tries++) await sleep(100)
  t.ok(await healthy())
  t.ok(existsSync(`${folder}/data/keyturn.db`), 'what must stay is in the volume')

  child.kill('SIGTERM')
  t.same(await ended, [0, null], 'it ends in peace when it is told to')
})
