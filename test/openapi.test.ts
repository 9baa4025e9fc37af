import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { recordExamples } from '../openapi/recorder/record.ts'
import { readExamples } from '../src/api/examples.ts'
import { openapiDocuments } from '../src/cli/openapi-documents.ts'
import { problemCodes, problemStatus } from '../src/errors.ts'
import { PROBLEM_MEDIA_TYPE } from '../src/http/problem.ts'
import { totp } from './helpers/people/totp.ts'
import { RULE_NAMES } from './helpers/service/invariants.ts'
import {
  examplesOf,
  faultsBySchema,
  isDocumented,
  type NamedOperation,
  type OpenApi,
  operationsOf,
  problemCodesOf,
} from './helpers/service/openapi.ts'
import {
  type Answer,
  enrol,
  login,
  nextCode,
  PASSWORD,
  register,
  startService,
} from './helpers/service/service.ts'

/** The document is the contract that clients are generated from: it is complete, and it is what the service does. */

const committed = (name: string) => readFileSync(new URL(`../openapi/${name}`, import.meta.url), 'utf8')
const live = await openapiDocuments()
const document: OpenApi = JSON.parse(live.json)
const operations = operationsOf(document)

t.test('the committed documents are those that the service serves', async (t) => {
  t.equal(committed('openapi.json'), live.json, 'npm run openapi writes openapi.json again')
  t.equal(committed('openapi.yaml'), live.yaml, 'and openapi.yaml')
  t.strictSame(parse(live.yaml), document, 'both say the same')
})

t.test('every operation has a name, a place, a summary, and answers for good and bad', async (t) => {
  t.match(document.openapi, /^3\.1\./)
  const tags = document.tags.map(({ name }) => name)
  for (const {
    method,
    path,
    operationId,
    summary,
    description,
    tags: own = [],
    responses,
    security,
  } of operations) {
    const about = `${method} ${path}`
    // Generators make functions of these names: `verify` alone would say too little, or be taken.
    t.match(operationId, /^([a-z]+[A-Z][A-Za-z0-9]+|register|login|logout)$/, about)
    t.match(summary, /^\S.{5,80}[^.]$/, about)
    t.match(description, /^[A-Z0-9].{10,}\.$/s, `${about}: a sentence`)
    t.equal(own.length, 1, about)
    t.ok(tags.includes(own[0] ?? ''), `${about}: the tag ${own[0]} is described`)
    t.ok(
      Object.keys(responses).some((status) => status.startsWith('2')),
      `${about}: success`,
    )
    for (const status of [429, 500, 503]) t.ok(responses[status], `${about}: ${status}`)
    t.ok(security, `${about}: says which token it takes, if any`)
  }
  const names = operations.map(({ operationId }) => operationId)
  t.equal(new Set(names).size, names.length, 'each name once')
})

t.test('the security schemes are described, and no operation asks for another', async (t) => {
  const schemes = Object.keys(document.components.securitySchemes)
  t.strictSame(schemes.sort(), ['accessToken', 'accountToken', 'clientSecret', 'mfaToken', 'serviceToken'])
  for (const { path, security = [], responses } of operations) {
    for (const name of security.flatMap(Object.keys)) t.ok(schemes.includes(name), `${path}: ${name}`)
    if (security.length > 0) t.ok(responses[401], `${path}: what happens without a token`)
  }
})

/** What answers as OAuth has it: with all errors, or with the ones about the client that asks. */
const OAUTH = ['POST /token', 'POST /token/revoke']
const OAUTH_TOO = ['POST /token/introspect 400', 'POST /token/introspect 401']

t.test('every answer that is a problem is problem+json, with an example of each code', async (t) => {
  for (const operation of operations)
    for (const [status, { content = {}, headers }] of Object.entries(operation.responses)) {
      if (Number(status) < 400) continue
      const about = `${operation.method} ${operation.path} ${status}`
      if (status === '429' || status === '503') t.match(Object.keys(headers ?? {}), ['Retry-After'], about)
      const isOAuth = OAUTH.includes(`${operation.method} ${operation.path}`)
      const mediaTypes = [
        ...(isOAuth ? [] : [PROBLEM_MEDIA_TYPE]),
        ...(isOAuth || OAUTH_TOO.includes(about) ? ['application/json'] : []),
      ]
      t.strictSame(Object.keys(content), mediaTypes, about)
      if (isOAuth) continue
      const codes = problemCodesOf(operation, Number(status))
      t.ok(codes.length > 0, about)
      const examples = content[PROBLEM_MEDIA_TYPE]?.examples
      t.strictSame(Object.keys(examples ?? {}), codes, about)
      for (const code of codes)
        t.equal(problemStatus(code as (typeof problemCodes)[number]), Number(status), `${about}: ${code}`)
    }
})

t.test(
  'each combination of problems is written once, so that the document does not grow by copies',
  async (t) => {
    const { responses, examples } = document.components
    const referred = new Set<string>()
    for (const { method, path } of operations)
      for (const [status, response] of Object.entries(
        document.paths[path]?.[method.toLowerCase()]?.responses ?? {},
      )) {
        if (Number(status) < 400) continue
        t.strictSame(Object.keys(response), ['$ref'], `${method} ${path} ${status}`)
        referred.add((response as unknown as { $ref: string }).$ref)
      }
    const named = Object.keys(responses).map((name) => `#/components/responses/${name}`)
    t.strictSame(named.sort(), [...referred].sort(), 'and none is left over')
    const contents = Object.values(responses).map((response) => JSON.stringify(response))
    t.equal(new Set(contents).size, contents.length, 'none under two names')
    t.match(examples, { invalid_code: { value: { code: 'invalid_code', status: 422 } } })
    // 3,600 today; 6,800 when every operation had its own copies.
    const { length } = JSON.stringify(document)
    t.ok(length < 3_700 * operations.length, `${length} bytes for ${operations.length} operations`)
    t.notMatch(live.yaml, /[&*]a\d/, 'and the YAML needs no anchors, which some readers refuse')
  },
)

t.test(
  'every enumeration has a type in the document, and the answer to a wrong value is one fault',
  async (t) => {
    let found = 0
    const look = (part: unknown): void => {
      if (typeof part !== 'object' || part === null) return
      if ('enum' in part && Array.isArray(part.enum)) {
        found += 1
        const type = 'type' in part ? part.type : undefined
        for (const value of part.enum) t.equal(typeof value, type, JSON.stringify(part))
      }
      for (const inner of Object.values(part)) look(inner)
    }
    look(document)
    t.ok(found > 20, `${found} enumerations`)

    const service = await startService(t)
    const { mfaToken } = await register(service)
    const { body } = await service.post('/2fa/verify', { code: '123456', method: 5 }, mfaToken)
    t.strictSame(body.errors, [
      { pointer: '/method', code: 'type', detail: '"method" is of the wrong type.' },
    ])
  },
)

t.test('every example fits its schema, and every body and every JSON answer has one', async (t) => {
  for (const { method, path, requestBody, responses } of operations) {
    const bodies = Object.entries(requestBody?.content ?? {})
    for (const [type, media] of bodies) {
      const examples = examplesOf(media)
      t.ok(examples.length > 0, `${method} ${path}: an example of ${type}`)
      for (const example of examples)
        t.strictSame(faultsBySchema(document, media.schema, example), [], `${method} ${path}: ${type}`)
    }
    for (const [status, { content = {} }] of Object.entries(responses))
      for (const [type, media] of Object.entries(content)) {
        const about = `${method} ${path}: ${status} ${type}`
        if (type.endsWith('json')) t.ok(examplesOf(media).length > 0, `${about}: an example`)
        for (const example of examplesOf(media))
          t.strictSame(faultsBySchema(document, media.schema, example), [], about)
      }
  }
  for (const [name, schema] of Object.entries(document.components.schemas))
    for (const example of [(schema as { example?: unknown }).example].filter((value) => value !== undefined))
      t.strictSame(faultsBySchema(document, schema, example), [], name)
})

t.test('the examples are what a service answers now, and none is made up', async (t) => {
  const examples = readExamples()
  t.strictSame(await recordExamples(document), examples, 'npm run openapi records them again')
  t.notMatch(JSON.stringify(examples), /"string"|A sentence/)
  const { register, login } = examples.operations
  t.match(register?.requests, { second_factor_required: { username: 'ada' } })
  t.match(register?.answers[201], { second_factor_required: { enrolled: false, user: { username: 'ada' } } })
  t.match(login?.requests, { second_factor_required: { username: 'ada' } })
})

t.test('what is answered to anything wrong is in the document, for every operation', async (t) => {
  const service = await startService(t)
  const { accessToken } = await enrol(service)
  const { mfaToken } = await register(service, 'grace')
  const tokenFor = ({ security = [] }: NamedOperation) =>
    security.some((scheme) => 'accessToken' in scheme) ? accessToken : mfaToken
  const json = { 'content-type': 'application/json' }
  const wrong = {
    'bad JSON': { payload: '{', headers: json },
    'unknown members': { payload: '{"no":"such","members":1}', headers: json },
    'a type that is none': { payload: 'x', headers: { 'content-type': 'text/plain' } },
    'too much': { payload: ' '.repeat(20_000), headers: json },
    'a form nobody can make': { headers: { accept: 'image/jpeg' } },
  }
  for (const operation of operations) {
    const { method, path } = operation
    const call = (token?: string, options: object = {}): Promise<Answer> =>
      service.post(path.replace('{id}', 'nobody'), undefined, token, { method: method as 'GET', ...options })
    if (operation.security?.length) isDocumented(t, document, operation, await call())
    if (operation.security?.length) isDocumented(t, document, operation, await call('a.b.c'))
    for (const options of Object.values(wrong)) {
      // A body would not be looked at, and without one these do what they are for.
      if (method === 'GET' || !('payload' in options)) continue
      isDocumented(t, document, operation, await call(tokenFor(operation), options))
    }
  }
  const introspect = operations.find(({ path }) => path === '/token/introspect')
  const twice = await service.post('/token/introspect', undefined, accessToken, {
    payload: 'token=a&token=b',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  isDocumented(t, document, introspect as NamedOperation, twice)
  const setup = operations.find(({ path }) => path === '/2fa/setup')
  const refused = await service.post('/2fa/setup', undefined, mfaToken, wrong['a form nobody can make'])
  isDocumented(t, document, setup as NamedOperation, refused)
})

t.test('what is answered on the way through the main flow is in the document', async (t) => {
  const service = await startService(t, { spared: RULE_NAMES })
  const operation = (method: string, path: string) => {
    const found = operations.find((one) => one.method === method && one.path === path)
    if (!found) throw new Error(`${method} ${path} is not in the document`)
    return found
  }
  const post = async (path: string, body?: unknown, token?: string, headers: Record<string, string> = {}) => {
    const answer = await service.post(path, body, token, { headers })
    isDocumented(t, document, operation('POST', path), answer)
    return answer
  }
  const get = async (path: string, token?: string) => {
    const answer = await service.get(path, token)
    isDocumented(t, document, operation('GET', path), answer)
    return answer
  }

  const registration = { username: 'ada', password: PASSWORD, email: 'ada@example.com' }
  const { mfa_token: first } = (await post('/register', registration)).body
  await post('/register', registration)
  await post('/register', { username: 'grace', password: 'password' })
  await post('/2fa/verify', { code: '123456' }, first)
  for (const accept of ['image/png', 'image/svg+xml', 'text/plain', 'image/jpeg'])
    await post('/2fa/setup', undefined, first, { accept })
  const { secret } = (await post('/2fa/setup', undefined, first)).body
  await post('/2fa/verify', { code: 'wrong' }, first)
  await post('/2fa/verify', { code: '123456', method: 'email' }, first)
  const code = totp(secret, service.clock.now())
  const tokens = (await post('/2fa/verify', { code }, first)).body
  await post('/2fa/verify', { code }, first)
  await get('/me', tokens.access_token)
  await get('/me', first)

  await post('/login', { username: 'ada', password: PASSWORD })
  await post('/2fa/setup', undefined, await login(service))
  const recovery = { code: tokens.recovery_codes[0], method: 'recovery_code' }
  await post('/2fa/verify', recovery, await login(service))
  await post('/2fa/verify', { code: nextCode(service, { secret }) }, await login(service))
  for (let i = 0; i < 11; i++) await post('/login', { username: 'ada', password: 'wrong' })
  service.clock.advance(301)
  await post('/2fa/setup', undefined, tokens.access_token)

  for (const path of ['/', '/config', '/problems', '/livez', '/readyz', '/.well-known/jwks.json'])
    await get(path)
  await service.db.destroy()
  await get('/readyz')
  await post('/login', { username: 'ada', password: PASSWORD })
})

t.test('so is what is answered where no factor is asked for', async (t) => {
  const service = await startService(t, { environment: { MFA_POLICY: 'optional' } })
  await register(service)
  const answer = await service.post('/login', { username: 'ada', password: PASSWORD })
  t.equal(answer.body.mfa_required, false)
  isDocumented(t, document, operations.find(({ path }) => path === '/login') as NamedOperation, answer)
})

t.test('every code of the catalogue that a route can answer with is somewhere in the document', async (t) => {
  const documented = new Set(
    operations.flatMap((one) =>
      Object.keys(one.responses).flatMap((status) => problemCodesOf(one, Number(status))),
    ),
  )
  // These are answered before a route is known.
  const routeless = ['request_timeout', 'headers_too_large', 'method_not_allowed', 'not_found']
  for (const code of problemCodes) if (!routeless.includes(code)) t.ok(documented.has(code), code)
})
