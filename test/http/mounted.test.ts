// Keyturn as a plugin: a foreign Fastify application keeps all that is its own, and the service all of its.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import fastifyJwt from '@fastify/jwt'
import fastifySwagger from '@fastify/swagger'
import Fastify, { type FastifyInstance, type InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import keyturn, { type ServiceOptions } from '../../src/index.ts'
import { settingsOf } from '../../src/service-options.ts'
import { documents } from '../helpers/documents/readme.ts'
import { totp } from '../helpers/people/totp.ts'
import { freePort } from '../helpers/programs/free-port.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { requestTarget } from '../helpers/requests/raw-socket.ts'
import { newDatabase } from '../helpers/service/database.ts'

const PREFIX = '/auth'
/** For a machine that is slow. */
const PATIENT = { pluginTimeout: 0 }
const ISSUER = `https://app.example.com${PREFIX}`
const PASSWORD = 'correct horse battery'
const SECRET_KEY = randomBytes(32).toString('base64')
const OTEL = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_TRACES_EXPORTER',
  'OTEL_SDK_DISABLED',
]

async function hosted(t: Test, options: Partial<ServiceOptions> = {}): Promise<FastifyInstance> {
  const host = Fastify({ ...PATIENT, ajv: { customOptions: { coerceTypes: true, useDefaults: true } } })
  host.addSchema({ $id: 'User', type: 'object', properties: { theirs: { type: 'integer', default: 7 } } })
  host.decorateRequest('principal' as 'theirs')
  await host.register(fastifyJwt, { secret: 'a secret of the host' })
  await host.register(fastifySwagger)
  host.setErrorHandler((error: Error, _request, reply) => reply.code(418).send({ host: error.message }))
  host.setNotFoundHandler((_request, reply) => reply.code(404).send({ host: 'nothing' }))
  host.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  host.get('/boom', async () => {
    throw new Error('boom')
  })
  host.post('/users', { schema: { body: { $ref: 'User#' } } }, async ({ body }) => ({ body }))
  host.post('/text', async ({ body }) => ({ body }))
  await host.register(keyturn, {
    prefix: PREFIX,
    issuer: ISSUER,
    databaseUrl: await newDatabase(t),
    secretKey: randomBytes(32).toString('base64'),
    rateLimit: false,
    ...options,
  })
  t.teardown(() => host.close())
  return host
}

async function send(host: FastifyInstance, options: InjectOptions, token?: string) {
  const {
    statusCode: status,
    body,
    headers,
  } = await host.inject({
    ...options,
    ...(token && { headers: { authorization: `Bearer ${token}` } }),
  })
  return { status, headers, body: /json/.test(String(headers['content-type'])) ? JSON.parse(body) : body }
}

t.test('the main flow works under the prefix, and documents name it', async (t) => {
  const host = await hosted(t)
  const post = (url: string, payload?: object, token?: string) =>
    send(host, { method: 'POST', url: `${PREFIX}${url}`, ...(payload && { payload }) }, token)

  const registered = await post('/register', { username: 'ada', password: PASSWORD })
  t.equal(registered.status, 201)
  const { secret } = (await post('/2fa/setup', undefined, registered.body.mfa_token)).body
  const code = totp(secret, Date.now())
  const verified = await post('/2fa/verify', { code }, registered.body.mfa_token)
  t.equal(verified.status, 200)
  const me = await send(host, { url: `${PREFIX}/me` }, verified.body.access_token)
  t.match(me, { status: 200, body: { username: 'ada', two_factor_enabled: true } })
  t.equal((await send(host, { url: `${PREFIX}/me` })).body.code, 'invalid_token', 'scopes guard their routes')

  const { body: root } = await send(host, { url: PREFIX })
  t.equal(root.links.openapi, `${PREFIX}/openapi.json`)
  const { body: document } = await send(host, { url: root.links.openapi })
  t.strictSame(document.servers[0].url, PREFIX)
  t.equal(
    (await send(host, { url: `${PREFIX}/.well-known/oauth-authorization-server` })).body.jwks_uri,
    `${ISSUER}/.well-known/jwks.json`,
  )
})

t.test('every file that Swagger UI asks for is there under the prefix', async (t) => {
  const host = await hosted(t)
  const { body: page } = await send(host, { url: `${PREFIX}/docs` })
  const files = [...String(page).matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path]) => path ?? '')
  t.ok(files.length > 3)
  for (const path of files) t.equal((await send(host, { url: path })).status, 200, path)
  t.equal((await send(host, { url: `${PREFIX}/docs?theme=dark` })).headers.location, `${PREFIX}/docs`)
  t.equal((await send(host, { url: `${PREFIX}/docs/static/index.html` })).headers.location, `${PREFIX}/docs/`)
})

t.test('errors of the service are its own, and those of the host stay its own', async (t) => {
  const host = await hosted(t)
  t.match(await send(host, { url: '/boom' }), { status: 418, body: { host: 'boom' } })
  t.match(await send(host, { url: '/nowhere' }), { status: 404, body: { host: 'nothing' } })
  t.match(await send(host, { url: `${PREFIX}/nowhere` }), { status: 404, body: { code: 'not_found' } })
  t.match(await send(host, { method: 'PATCH', url: `${PREFIX}/login` }), { status: 405 })
  const register = { method: 'POST', url: `${PREFIX}/register` } as const
  t.match(await send(host, { ...register, payload: '{', headers: { 'content-type': 'application/json' } }), {
    status: 400,
    body: { code: 'malformed_json' },
  })
  t.match(await send(host, { ...register, payload: { username: 7, password: PASSWORD } }), {
    status: 400,
    body: { code: 'validation_failed', errors: [{ pointer: '/username' }] },
  })
})

t.test('body parsers, schemas and Ajv of the host stay its own', async (t) => {
  const host = await hosted(t)
  const { body } = await send(host, { method: 'POST', url: '/users', payload: { theirs: '8' } })
  t.strictSame(body, { body: { theirs: 8 } }, 'it coerces')
  t.strictSame((await send(host, { method: 'POST', url: '/users', payload: {} })).body, {
    body: { theirs: 7 },
  })
  const text = {
    method: 'POST',
    url: '/text',
    payload: 'hello',
    headers: { 'content-type': 'text/plain' },
  } as const
  t.strictSame((await send(host, text)).body, { body: 'hello' })
  t.match(await send(host, { ...text, url: `${PREFIX}/login` }), { status: 415 })
})

t.test('signals and other listeners of the process stay as they are', async (t) => {
  const events = ['SIGTERM', 'SIGINT', 'SIGHUP', 'uncaughtException', 'unhandledRejection', 'exit'] as const
  const count = () => events.map((name) => process.listenerCount(name))
  const before = count()
  const host = await hosted(t)
  await host.ready()
  t.strictSame(count(), before)
})

t.test('it closes with its host, and the next one opens the same database', async (t) => {
  const databaseUrl = await newDatabase(t)
  const secretKey = randomBytes(32).toString('base64')
  const first = await hosted(t, { databaseUrl, secretKey })
  const register = {
    method: 'POST',
    url: `${PREFIX}/register`,
    payload: { username: 'ada', password: PASSWORD },
  } as const
  t.equal((await send(first, register)).status, 201)
  await first.close()
  const second = await hosted(t, { databaseUrl, secretKey })
  t.match(await send(second, register), { status: 409, body: { code: 'username_taken' } })
})

t.test('it can be mounted within a prefix, and a parameter is none', async (t) => {
  const host = Fastify(PATIENT)
  t.teardown(() => host.close())
  const databaseUrl = await newDatabase(t)
  const options = { issuer: 'https://app.example.com/api/auth', databaseUrl, secretKey: SECRET_KEY }
  await host.register(async (api) => api.register(keyturn, { prefix: PREFIX, ...options }), {
    prefix: '/api',
  })
  t.equal((await send(host, { url: '/api/auth/livez' })).status, 200)
  const other = Fastify(PATIENT)
  other.register(keyturn, { prefix: '/t/:tenant', ...options })
  await t.rejects(async () => void (await other.ready()), /without parameters/)
})

t.test('every spelling of a path leads where it says, or nowhere', async (t) => {
  const host = await hosted(t)
  await host.listen({ port: 0, host: '127.0.0.1' })
  const { port } = host.server.address() as AddressInfo
  const get = async (target: string) => (await requestTarget(port, 'GET', target)).status
  t.equal(await get(`http://h${PREFIX}/livez`), 200, 'the absolute form')
  t.equal(await get(`${PREFIX}?x=1`), 200)
  for (const target of ['/%61uth/livez', '/authlivez', '//auth/livez'])
    t.equal(await get(target), 404, target)
})

t.test('what is no JSON is answered by the service, whatever its type', async (t) => {
  const host = await hosted(t)
  for (const type of ['foo', '', 'text/html'])
    t.match(
      await send(host, {
        method: 'POST',
        url: `${PREFIX}/login`,
        payload: 'x',
        headers: { 'content-type': type },
      }),
      { status: 415, body: { code: 'unsupported_media_type' } },
      type,
    )
})

t.test('hooks of the host see the whole URL, before and after', async (t) => {
  const host = Fastify(PATIENT)
  t.teardown(() => host.close())
  const seen: string[] = []
  host.addHook('onRequest', async ({ url }) => void seen.push(url))
  host.addHook('onResponse', async ({ url }) => void seen.push(url))
  const databaseUrl = await newDatabase(t)
  await host.register(keyturn, { prefix: PREFIX, issuer: ISSUER, databaseUrl, secretKey: SECRET_KEY })
  await host.inject(`${PREFIX}/livez`)
  t.strictSame(seen, [`${PREFIX}/livez`, `${PREFIX}/livez`])
})

t.test('what is probably a mistake in the options is a warning in the log of the host', async (t) => {
  const warned = async (options: Partial<ServiceOptions>) => {
    const lines: string[] = []
    const host = Fastify({
      ...PATIENT,
      logger: { level: 'warn', stream: { write: (line) => void lines.push(line) } },
    })
    t.teardown(() => host.close())
    const databaseUrl = await newDatabase(t)
    await host.register(keyturn, {
      prefix: PREFIX,
      issuer: ISSUER,
      databaseUrl,
      secretKey: SECRET_KEY,
      ...options,
    })
    await host.ready()
    return lines.map((line) => JSON.parse(line).msg)
  }
  t.match(await warned({}), [/ISSUER is https, .* TRUST_PROXY does not name it/])
  t.strictSame(await warned({ trustProxy: ['192.0.2.1'] }), [])
})

t.test('an option for each setting, and one that does not exist, or is not fit, is named', async (t) => {
  await t.rejects(hosted(t, { mfaPolicy: 'sometimes' as never }), { message: /MFA_POLICY must be/ })
  await t.rejects(hosted(t, { secretKey: [] }), { message: /secretKey is empty/ })
  await t.rejects(hosted(t, { issuer: undefined as never, databaseUrl: undefined as never }), {
    message: /needs the option issuer\n.*needs the option databaseUrl/,
  })
  const own = ['HOST', 'PORT', 'KEEP_ALIVE_SECONDS', 'LOG_LEVEL', 'METRICS_HOST', 'METRICS_PORT', ...OTEL]
  const rows = documents.get('docs/settings.md')?.match(/^\| `[^|]+\|/gm) ?? []
  const settings = rows.flatMap((row) => row.match(/(?<=`)[A-Z][A-Z0-9_]+(?=`)/g) ?? [])
  t.ok(settings.length > 20)
  for (const name of settings.filter((name) => !own.includes(name))) {
    const option = name.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    t.doesNotThrow(() => settingsOf({ issuer: ISSUER, databaseUrl: 'x', [option]: 'x' }), option)
  }
  await t.rejects(hosted(t, { databseUrl: 'x' } as never), { message: /There is no option databseUrl/ })
})

t.test('the example of the README serves both', async (t) => {
  const [, example = ''] = /^```js file=host.mjs\n(.*?)^```$/ms.exec(documents.get('README.md') ?? '') ?? []
  const port = await freePort()
  const source = new URL('../../src/index.ts', import.meta.url).href
  const text = example.replace("from 'keyturn'", `from '${source}'`).replaceAll('4000', String(port))
  const folder = t.testdir({ 'host.mjs': text })
  const child = spawn(process.execPath, ['host.mjs'], { cwd: folder, stdio: 'inherit' })
  t.teardown(() => child.kill())
  const get = async (path: string): Promise<Record<string, unknown>> =>
    (await fetch(`http://localhost:${port}${path}`)).json() as Promise<Record<string, unknown>>
  await eventually('the host answers', () =>
    get('/').then(
      ({ hello }) => hello === 'world',
      () => false,
    ),
  )
  t.match(await get('/auth/readyz'), { status: 'ok' })
})

t.test('the environment is not read', async (t) => {
  process.env.MFA_POLICY = 'sometimes'
  t.teardown(() => {
    delete process.env.MFA_POLICY
  })
  const host = await hosted(t)
  t.equal((await send(host, { url: `${PREFIX}/readyz` })).status, 200)
})
