import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import type { ProblemCode } from '../../src/errors.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import {
  type Answer,
  login,
  PASSWORD,
  register,
  type Service,
  startService,
} from '../helpers/service/service.ts'

/**
 * Where two readers of a body may disagree, one of them may be the guard and the other the house. So nothing is
 * guessed, coerced, dropped or repaired: a body is exactly what a route takes, or it is refused by name.
 */

interface Target {
  url: string
  /** A body the route takes; its first member is a string. */
  good: Record<string, unknown>
  token?: string
}

const JSON_TYPE = { 'content-type': 'application/json' }

/** A POST whose body is sent byte for byte, under headers of the test's choice. */
function postBytes(
  service: Service,
  url: string,
  bytes: Buffer | string,
  headers: Record<string, string> = { 'content-type': 'application/json' },
  token?: string,
): Promise<Answer> {
  return service.post(url, undefined, token, { payload: bytes, headers })
}

/** The bytes of a JSON text with something spliced into its strings that no JSON writer would write. */
function jsonBytes(text: string, splice: Buffer): Buffer {
  const [before = '', after = ''] = text.split('%')
  return Buffer.concat([Buffer.from(before), splice, Buffer.from(after)])
}

const service = await startService(t)
const { mfaToken } = await register(service)
const TARGETS: Target[] = [
  { url: '/register', good: { username: 'grace', password: PASSWORD } },
  { url: '/login', good: { username: 'ada', password: PASSWORD } },
  { url: '/2fa/verify', good: { code: '000000' }, token: await login(service) },
]

/** Sends one bad body to every route that takes one. */
async function everywhere(
  t: Test,
  makeBody: (good: Record<string, unknown>) => Buffer | string,
  code: ProblemCode,
  headers: Record<string, string> = JSON_TYPE,
): Promise<void> {
  for (const { url, good, token } of TARGETS)
    isProblem(t, await postBytes(service, url, makeBody(good), headers, token), code, url)
}

/** The JSON of the good body with its first string replaced by raw JSON text. */
const withFirst = (raw: string) => (good: Record<string, unknown>) => {
  const [name, ...rest] = Object.keys(good)
  const others = rest.map((other) => `,${JSON.stringify(other)}:${JSON.stringify(good[other])}`).join('')
  return `{${JSON.stringify(name)}:${raw}${others}}`
}

const NOT_JSON: Record<string, (good: Record<string, unknown>) => Buffer | string> = {
  'cut off': (good) => JSON.stringify(good).slice(0, -1),
  'blank alone': () => '  ',
  'two documents': (good) => JSON.stringify(good).repeat(2),
  'a trailing comma': (good) => JSON.stringify(good).replace('}', ',}'),
  'a comment': (good) => `/* who */ ${JSON.stringify(good)}`,
  'single quotes': (good) => JSON.stringify(good).replaceAll('"', "'"),
  NaN: withFirst('NaN'),
  Infinity: withFirst('Infinity'),
  'a leading zero': withFirst('007'),
  'a raw line break in a string': withFirst('"a\nb"'),
  'a raw NUL in a string': withFirst('"a\0b"'),
  'two byte order marks': (good) => `\ufeff\ufeff${JSON.stringify(good)}`,
  'UTF-16': (good) => Buffer.from(`\ufeff${JSON.stringify(good)}`, 'utf16le'),
  'UTF-16 without a mark': (good) => Buffer.from(JSON.stringify(good), 'utf16le'),
  'a byte that is no UTF-8': (good) => jsonBytes(String(withFirst('"ad%a"')(good)), Buffer.from([0xff])),
  'a surrogate in UTF-8': (good) =>
    jsonBytes(String(withFirst('"ad%a"')(good)), Buffer.from([0xed, 0xa0, 0x80])),
  'an overlong slash': (good) => jsonBytes(String(withFirst('"ad%a"')(good)), Buffer.from([0xc0, 0xaf])),
  'the same member twice': (good) => JSON.stringify(good).replace('{', '{"code":"1","code":"2",'),
  'the same member twice with one value': (good) => {
    const [name] = Object.keys(good)
    return JSON.stringify(good).replace('{', `{"${name}":${JSON.stringify(good[name as string])},`)
  },
  'the same member twice, once escaped': (good) =>
    JSON.stringify(good).replace('{', '{"a":"1","\\u0061":"2",'),
  'the same member twice, further in': (good) => JSON.stringify(good).replace('{', '{"x":[{"y":1,"y":2}],'),
  'a bare word': () => 'username=ada&password=secret',
}

for (const [what, makeBody] of Object.entries(NOT_JSON))
  t.test(`a body with ${what} is malformed`, (t) => everywhere(t, makeBody, 'malformed_json'))

const NOT_VALID: Record<string, (good: Record<string, unknown>) => Buffer | string> = {
  'an array': () => '[]',
  'an array of a good body': (good) => JSON.stringify([good]),
  'a number': () => '42',
  'a number beyond all numbers': () => '1e400',
  'a string': () => '"ada"',
  null: () => 'null',
  true: () => 'true',
  'nothing in it': () => '{}',
  'a number for a string': withFirst('12345678'),
  'a huge number for a string': withFirst('1e400'),
  'true for a string': withFirst('true'),
  'null for a string': withFirst('null'),
  'an array for a string': withFirst('["ada"]'),
  'an object for a string': withFirst('{"toString":"ada"}'),
  'an empty string': withFirst('""'),
  'an unpaired surrogate': withFirst('"ad\\ud800a"'),
  'an unpaired surrogate in a name': (good) => JSON.stringify(good).replace('{', '{"\\udfff":1,'),
  'an unknown member': (good) => JSON.stringify({ ...good, admin: true }),
  'an unknown member that differs in case': (good) => JSON.stringify({ ...good, Password: PASSWORD }),
  'an unknown member of no name': (good) => JSON.stringify({ ...good, '': 1 }),
  'a thousand unknown members': (good) =>
    JSON.stringify({ ...good, ...Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, 0])) }),
}

for (const [what, makeBody] of Object.entries(NOT_VALID))
  t.test(`a body with ${what} is not valid`, (t) => everywhere(t, makeBody, 'validation_failed'))

t.test('no body at all is not valid', async (t) => {
  for (const { url, token } of TARGETS) {
    isProblem(t, await service.post(url, undefined, token), 'validation_failed', `${url} with no type`)
    isProblem(
      t,
      await postBytes(service, url, '', JSON_TYPE, token),
      'validation_failed',
      `${url} with a type`,
    )
  }
})

t.test(
  'half a pair of surrogates is refused as such, before it could be hashed as another password',
  async (t) => {
    const bodies = [
      `{"username":"grace","password":"correct horse \\ud800"}`,
      `{"username":"grace","password":"${PASSWORD}","\\udfff":1}`,
    ]
    for (const url of ['/register', '/login'])
      for (const body of bodies) {
        const answer = await postBytes(service, url, body)
        isProblem(t, answer, 'validation_failed', `${url} ${body}`)
        t.match(answer.body.errors, [{ pointer: '', detail: 'A string has an unpaired surrogate.' }])
      }
  },
)

t.test('all faults are named at once, by pointer, and no more than help', async (t) => {
  const { body } = await service.post('/register', { username: 'a b', pass: 1, 'a/b~c': 2 })
  const pointers = body.errors.map(({ pointer }: { pointer: string }) => pointer)
  t.strictSame(pointers.sort(), ['/a~1b~0c', '/pass', '/password', '/username'])
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, 0]))
  t.equal((await service.post('/login', many)).body.errors.length, 20)
})

t.test('nested more deeply than any parser likes, a body is refused', async (t) => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    const depth = Math.floor((16 * 1024 - 20) / (open.length + close.length))
    const deep = `${open.repeat(depth)}1${close.repeat(depth)}`
    // A parser that keeps the last of two members has nothing deep left.
    for (const { url, token } of TARGETS)
      for (const body of [deep, open.repeat(3000), `{"a":${deep},"a":1}`]) {
        const answer = await postBytes(service, url, body, JSON_TYPE, token)
        t.equal(answer.status, 400, `${url} with ${depth} of ${open}: ${answer.text.slice(0, 200)}`)
      }
  }
})

t.test('one byte more than 16 KiB is too large, 16 KiB is not', async (t) => {
  const pad = (bytes: number) => (good: Record<string, unknown>) => {
    const json = JSON.stringify(good)
    return json.padEnd(bytes, ' ')
  }
  await everywhere(t, pad(16 * 1024 + 1), 'payload_too_large')
  const fits = await postBytes(service, '/login', pad(16 * 1024)({ username: 'ada', password: PASSWORD }))
  t.equal(fits.status, 200)
})

t.test('a body in a type that is not JSON is not supported', async (t) => {
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/jsonp',
    'application/problem+json',
    'text/json',
    'application',
    '*/*',
    'json',
  ]
  for (const type of types)
    await t.test(type, (t) =>
      everywhere(t, JSON.stringify, 'unsupported_media_type', { 'content-type': type }),
    )
  await t.test('no type', (t) => everywhere(t, JSON.stringify, 'unsupported_media_type', {}))
})

t.test('no spelling of the content type carries a bad body past validation', async (t) => {
  const spellings = [
    'application/json;charset=utf-8',
    'APPLICATION/JSON',
    'Application/Json; Charset=UTF-8',
    'application/json ;charset=utf-8',
    'application/json; ',
    'application/json;',
    ' application/json',
    'application/json ',
    '\tapplication/json',
    'application/json\t',
    'application/json\t;charset=utf-8',
    'application/json\ta',
    'application/ json',
    'application/json\u00a0',
    'application/json,text/plain',
    'application/json;a="',
    'application/json;=',
    'application/json x',
    'application/json/x',
    'application//json',
    ';application/json',
    '',
  ]
  for (const type of spellings) {
    const bad = JSON.stringify({ username: 'ada', password: PASSWORD, admin: true })
    const answer = await postBytes(service, '/login', bad, { 'content-type': type })
    t.ok([400, 415].includes(answer.status), `${JSON.stringify(type)} answers ${answer.status}`)
    t.match(answer.body, { code: /^(validation_failed|unsupported_media_type)$/ })
  }
})

t.test('a compressed body is not supported, and neither is one that only says so', async (t) => {
  for (const encoding of ['gzip', 'GZIP', 'deflate', 'br', 'identity, gzip']) {
    const headers = { ...JSON_TYPE, 'content-encoding': encoding }
    await t.test(`${encoding}, compressed`, (t) =>
      everywhere(t, (good) => gzipSync(JSON.stringify(good)), 'unsupported_media_type', headers),
    )
    await t.test(`${encoding}, plain`, (t) =>
      everywhere(t, JSON.stringify, 'unsupported_media_type', headers),
    )
  }
})

t.test('a route that takes no body takes none', async (t) => {
  const send = (body: string, headers = JSON_TYPE) =>
    postBytes(service, '/2fa/setup', body, headers, mfaToken)
  for (const body of ['{"secret":"JBSWY3DPEHPK3PXP"}', '[]', 'null', '0', '""', '[1]'])
    isProblem(t, await send(body), 'validation_failed', body)
  isProblem(t, await send('{'), 'malformed_json', 'half a body')
  isProblem(t, await send('x', { 'content-type': 'text/plain' }), 'unsupported_media_type', 'a text')
  isProblem(t, await send(' '.repeat(16 * 1024 + 1)), 'payload_too_large', 'a large body')
  t.equal((await send('{}')).status, 200, 'an empty object is as good as nothing')
  t.equal((await send('')).status, 200, 'and so is nothing under a content type')
})
