import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { importPKCS8 } from 'jose'
import t, { type Test } from 'tap'
import { newcomersEnvironment } from '../helpers/documents/readme.ts'
import {
  installPackages,
  openFolder,
  recipe,
  recipeNames,
  startRecipe,
} from '../helpers/documents/recipes.ts'
import { makeCertificates } from '../helpers/faults/certificates.ts'
import { type Forge, forgeFrom } from '../helpers/people/forge.ts'
import { freePort } from '../helpers/programs/free-port.ts'
import { nginxMissing } from '../helpers/programs/nginx.ts'
import { findPyJwt } from '../helpers/programs/pyjwt.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { startListening } from '../helpers/service/listening.ts'
import { enrol, login, type Service, startService, testClock } from '../helpers/service/service.ts'

/** The recipes of docs/protect-your-api.md, each as it stands there, as a server that is asked with tokens of a service. */

const ISSUER = 'http://127.0.0.1:3000'
const NODE = process.execPath

/** Tokens of a service: one that must be taken, and those that must not. */
interface Tokens {
  id: string
  right: string
  wrong: Record<string, string>
  forge: Forge
}

async function tokensOf(t: Test, service: Service, issuer: string): Promise<Tokens> {
  const { databaseUrl, clock, deps } = service
  const ada = await enrol(service)
  const beside = (AUDIENCE: string, clock: Service['clock']) =>
    startService(t, { databaseUrl, clock, environment: { ISSUER: issuer, AUDIENCE } })
  const elsewhere = await enrol(await beside('https://other.example.com', clock), 'grace')
  const anHourAgo = testClock(clock.now() - 3_600_000)
  const expired = await enrol(await beside(service.config.audiences[0] ?? '', anHourAgo), 'joan')
  const { alg, privateKeyPem } = deps.signingKeys.current()
  return {
    id: ada.id,
    right: ada.accessToken,
    forge: forgeFrom(ada.accessToken, await importPKCS8(privateKeyPem, alg)),
    wrong: {
      'for another audience': elsewhere.accessToken,
      expired: expired.accessToken,
      'an mfa token': await login(service),
      'an account token': ada.accountToken,
      'a token of a service': deps.accessTokens.issueService({ id: 'service_x', scopes: [] }),
      changed: `${ada.accessToken.slice(0, -8)}AAAAAAAA`,
      'no token': '',
    },
  }
}

const ask = (port: number, token?: string) =>
  fetch(`http://127.0.0.1:${port}/hello`, {
    ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
  })

async function checksTokens(
  t: Test,
  port: number,
  { right, wrong }: Tokens,
  greeting: string,
  { challenges = true } = {},
): Promise<void> {
  const answer = await ask(port, right)
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('x-greeting') ?? (await answer.text()), greeting)
  for (const [name, token] of Object.entries(wrong)) {
    const { status, headers } = await ask(port, token)
    t.equal(status, 401, name)
    if (challenges) t.match(headers.get('www-authenticate'), /^Bearer\b/, name)
  }
  t.equal((await ask(port)).status, 401, 'no header')
  t.equal((await ask(port, right)).status, 200, 'and goes on')
}

/** It is one that has expired just now, however long the machine takes: of several, one comes in time. */
async function hasLeeway(t: Test, port: number, { forge }: Tokens): Promise<void> {
  const justExpired = async () => forge({ claims: { exp: Math.floor(Date.now() / 1000) - 1 } })
  await eventually(
    'one that has just expired is taken',
    async () => (await ask(port, await justExpired())).ok,
  )
  t.pass('with leeway')
}

const service = await startListening(t)
const tokens = await tokensOf(t, service, service.issuer)
const tried: string[] = []

/** Takes a recipe out of the document. */
function take(
  name: string,
  port: number,
  more: Record<string, string> = {},
  issuer = service.issuer,
): string {
  if (!tried.includes(name)) tried.push(name)
  return recipe(name, { [ISSUER]: issuer, 8080: String(port), ...more })
}

for (const name of ['express', 'fastify'])
  t.test(`${name}: access tokens for its audience alone, and the requirements of a route`, async (t) => {
    const port = await freePort()
    const folder = openFolder(t, { 'api.mjs': take(name, port) })
    installPackages(folder)
    await startRecipe(t, [NODE, 'api.mjs'], { folder, port })
    await checksTokens(t, port, tokens, 'Hello, ada')
    await hasLeeway(t, port, tokens)

    const deleteThings = async (claims: object) => {
      const authorization = `Bearer ${await tokens.forge({ claims: { ...claims } })}`
      const answer = await fetch(`http://127.0.0.1:${port}/things`, {
        method: 'DELETE',
        headers: { authorization },
      })
      return `${answer.status} ${answer.headers.get('www-authenticate')}`
    }
    t.equal(await deleteThings({ roles: ['admin'] }), '204 null')
    t.equal(await deleteThings({}), '403 Bearer error="insufficient_scope"')
    const stepUp = '401 Bearer error="insufficient_user_authentication", acr_values="aal2", max_age=300'
    t.equal(await deleteThings({ roles: ['admin'], acr: 'aal1' }), stepUp)
    t.equal(await deleteThings({ roles: ['admin'], auth_time: 1 }), stepUp)
  })

/** An API that has just started, and gets no key set, does not take that for a fault of the token. */
async function tellsOutage(t: Test, start: (issuer: string, port: number) => Promise<void>): Promise<void> {
  const [port, issuerPort] = [await freePort(), await freePort()]
  const issuer = `http://127.0.0.1:${issuerPort}`
  const down = createServer((_request, response) => response.writeHead(503).end('{}'))
  down.listen(issuerPort, '127.0.0.1')
  t.teardown(() => down.close())
  await once(down, 'listening')
  await start(issuer, port)
  t.equal((await ask(port, tokens.right)).status, 503, 'no key set')
}

const python = findPyJwt()
const flask = python && spawnSync(python, ['-c', 'import flask']).status === 0
const missing = (there: unknown, packages: string) => (there ? false : `NOT TESTED: Debian: ${packages}`)

t.test('Flask', { skip: missing(flask, 'python3-flask python3-jwt') }, async (t) => {
  const start = async (issuer: string, port: number) => {
    const folder = openFolder(t, {
      'api.py': take('flask', port),
      'check.py': recipe('pyjwt', { [ISSUER]: issuer }),
    })
    const command = [python ?? '', '-m', 'flask', '--app', 'api', 'run', '--port', String(port)]
    await startRecipe(t, command, { folder, port })
  }
  const port = await freePort()
  await start(service.issuer, port)
  await checksTokens(t, port, tokens, 'Hello, ada')
  await hasLeeway(t, port, tokens)
  await tellsOutage(t, start)
})

const GOPATH = '/usr/share/gocode'
const goJose = existsSync(`${GOPATH}/src/gopkg.in/square/go-jose.v2`) && existsSync('/usr/bin/go')

t.test('Go', { skip: missing(goJose, 'golang-go golang-gopkg-square-go-jose.v2-dev') }, async (t) => {
  const env = {
    ...newcomersEnvironment,
    GOPATH,
    GO111MODULE: 'off',
    GOCACHE: openFolder(t, {}),
    GOFLAGS: '-p=2',
  }
  const start = async (issuer: string, port: number) => {
    const folder = openFolder(t, { 'main.go': take('go', port, {}, issuer) })
    execFileSync('/usr/bin/go', ['build', '-o', 'api', 'main.go'], { cwd: folder, env, stdio: 'pipe' })
    await startRecipe(t, ['./api'], { folder, port })
  }
  const port = await freePort()
  await start(service.issuer, port)
  await checksTokens(t, port, tokens, 'Hello, ada')
  await hasLeeway(t, port, tokens)
  await tellsOutage(t, start)
})

const rubyJwt = spawnSync('ruby', ['-e', 'require "jwt"; require "webrick"']).status === 0

t.test('Ruby', { skip: missing(rubyJwt, 'ruby ruby-jwt ruby-webrick') }, async (t) => {
  const start = async (issuer: string, port: number) => {
    const folder = openFolder(t, { 'api.rb': take('ruby', port, {}, issuer) })
    await startRecipe(t, ['ruby', 'api.rb'], { folder, port })
  }
  const port = await freePort()
  await start(service.issuer, port)
  await checksTokens(t, port, tokens, 'Hello, ada')
  await hasLeeway(t, port, tokens)
  await tellsOutage(t, start)
})

t.test('nginx, and the verifier that it asks', { skip: nginxMissing }, async (t) => {
  const [port, verifierPort, apiPort] = [await freePort(), await freePort(), await freePort()]
  const ports = { 8081: String(verifierPort), 9000: String(apiPort) }
  const api = createServer((request, response) =>
    response.end(`Hello, ${request.headers['x-user']}, ${request.headers['x-roles'] ?? 'no roles'}`),
  ).listen(apiPort, '127.0.0.1')
  t.teardown(() => api.close())
  const server = take('nginx', port, ports)
  const folder = openFolder(t, {
    'verifier.mjs': take('nginx-verifier', port, ports),
    'nginx.conf': `daemon off; pid nginx.pid; events {}
      http { access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
        uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n${server} }`,
  })
  installPackages(folder)
  await startRecipe(t, [NODE, 'verifier.mjs'], { folder, port: verifierPort })
  const nginx = ['/usr/sbin/nginx', '-e', 'stderr', '-p', folder, '-c', `${folder}/nginx.conf`]
  await startRecipe(t, nginx, { folder, port })
  await checksTokens(t, port, tokens, `Hello, ${tokens.id}, no roles`)
  await hasLeeway(t, port, tokens)
  const authorization = `Bearer ${await tokens.forge({ claims: { roles: ['a', 'b'] } })}`
  const forged = { authorization, 'x-user': 'somebody', 'x-roles': 'admin' }
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: forged })
  t.equal(await answer.text(), `Hello, ${tokens.id}, a b`, 'what the client says of itself is not handed on')
})

const MODULES = '/usr/lib/apache2/modules'
const openidc = existsSync(`${MODULES}/mod_auth_openidc.so`)

t.test('Apache', { skip: missing(openidc, 'apache2 libapache2-mod-auth-openidc') }, async (t) => {
  const [port, tlsPort] = [await freePort(), await freePort()]
  const issuer = `https://localhost:${tlsPort}`
  const service = await startService(t, { clock: testClock(Date.now()), environment: { ISSUER: issuer } })
  const tokens = await tokensOf(t, service, issuer)
  const { good, authorityFile } = makeCertificates(t)
  const keySet = createTlsServer({ ...good }, async (request, response) => {
    const { headers, text } = await service.get(request.url ?? '')
    response.writeHead(200, { 'content-type': String(headers['content-type']) }).end(text)
  }).listen(tlsPort, '127.0.0.1')
  t.teardown(() => keySet.close())
  await once(keySet, 'listening')

  tried.push('apache')
  const folder = openFolder(t, { 'authority.pem': readFileSync(authorityFile, 'utf8') })
  mkdirSync(`${folder}/pages`)
  const load = ['mpm_event', 'authn_core', 'authz_core', 'headers', 'auth_openidc']
  const configuration = `
    ${load.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
    ServerRoot ${folder}
    ServerName localhost
    User www-data
    Group www-data
    Listen 127.0.0.1:${port}
    PidFile ${folder}/apache.pid
    ErrorLog ${folder}/error.log
    Mutex file:${folder} default
    DocumentRoot ${folder}/pages
    OIDCCABundlePath ${folder}/authority.pem
    Header always set X-Greeting "expr=Hello, %{REMOTE_USER}"
    ${recipe('apache', { 'https://id.example.com': issuer })}`
  writeFileSync(`${folder}/apache.conf`, configuration)
  writeFileSync(`${folder}/pages/hello`, '')
  await startRecipe(t, ['/usr/sbin/apache2', '-D', 'FOREGROUND', '-f', `${folder}/apache.conf`], {
    folder,
    port,
  })
  // It has no challenge where a claim is not the one that is required.
  await checksTokens(t, port, tokens, `Hello, ${tokens.id}`, { challenges: false })
  t.equal(
    (await ask(port, await tokens.forge({ header: { typ: 'account+jwt' } }))).status,
    200,
    'it does not look at typ',
  )
})

t.test('no recipe of the document is left out', async (t) => {
  t.strictSame(tried.sort(), [...recipeNames].sort())
})
