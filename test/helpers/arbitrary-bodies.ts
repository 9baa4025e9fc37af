import fc from 'fast-check'
import type { SecretName } from './cast.ts'

export const JSON_TYPE = 'application/json'
export const FORM_TYPE = 'application/x-www-form-urlencoded'

/** JSON text as it stands, or something that is known when the request is sent. */
export type Value = string | { secret: SecretName }

/** The members of an object in their order, perhaps with one of them twice; or bytes of any kind. */
export type Content = [name: string, value: Value][] | string | Uint8Array

/** As much of JSON Schema as the document uses for what is sent. */
export interface Schema {
  type?: string
  enum?: unknown[]
  pattern?: string
  minLength?: number
  maxLength?: number
  properties?: Record<string, Schema>
  required?: string[]
}

/** What Node.js lets a client write into a request line or a header. */
export const printable = fc
  .integer({ min: 0x21, max: 0xff })
  .filter((code) => code < 0x7f || code > 0xa0)
  .map((code) => String.fromCharCode(code))

export const headerValue = fc.string({ unit: printable, maxLength: 200 })

/** A body and the media type that it is said to be of; neither may be there. */
export interface Sent {
  type?: string
  content?: Content
}

const oddTypes = fc.oneof(
  fc.constantFrom(
    'text/plain',
    FORM_TYPE,
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
    'application/JSON',
    'application/json\t',
    'application/problem+json',
    '',
    ';',
    '*/*',
  ),
  headerValue,
)

/** @param form whether the route takes forms, too. */
export function bodies(schema: Schema | undefined, form: boolean): fc.Arbitrary<Sent> {
  const types = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(JSON_TYPE, ...(form ? [FORM_TYPE] : [])) },
    { weight: 1, arbitrary: oddTypes },
  )
  const hostile = fc.record({ type: types, content: hostileContent })
  if (!schema) return fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: hostile })
  const good = fc.record({ type: fc.constant(JSON_TYPE), content: membersOf(schema, false) })
  const near = fc.record({ type: types, content: membersOf(schema, true).chain(spoiled) })
  return fc.oneof(
    { weight: 4, arbitrary: good },
    { weight: 4, arbitrary: near },
    { weight: 1, arbitrary: hostile },
  )
}

type Members = [name: string, value: Value][]

/** @param hostile whether any value can stand in any place. */
function membersOf({ properties = {}, required = [] }: Schema, hostile: boolean): fc.Arbitrary<Members> {
  const members = Object.entries(properties).map(([name, schema]) => {
    const value = fc.oneof(
      { weight: 6, arbitrary: secretsFor(name) ?? fitting(schema) },
      { weight: 3, arbitrary: fitting(schema) },
      { weight: hostile ? 4 : 0, arbitrary: hostileValue },
    )
    const member = value.map((one): Members => [[name, one]])
    return required.includes(name) ? member : fc.oneof(fc.constant<Members>([]), member)
  })
  return fc.tuple(...members).map((lists) => lists.flat())
}

/** One thing about an object changed, or nothing. */
function spoiled(members: Members): fc.Arbitrary<Members> {
  const index = fc.nat(Math.max(0, members.length - 1))
  return fc.oneof(
    fc.constant(members),
    index.map((out) => members.filter((_, at) => at !== out)),
    index.map((twice) => [...members, ...members.slice(twice, twice + 1)]),
    fc
      .tuple(index, hostileValue)
      .map(([at, value]) => [
        ...members,
        ...members.slice(at, at + 1).map(([name]): Members[number] => [name, value]),
      ]),
    fc.tuple(hostileName, hostileValue).map(([name, value]): Members => [...members, [name, value]]),
    index.map((at) =>
      members.map(([name, value], other): Members[number] => [
        other === at ? name.toUpperCase() : name,
        value,
      ]),
    ),
  )
}

const SECRETS_OF: Record<string, SecretName[]> = {
  username: ['username'],
  password: ['password'],
  current_password: ['password'],
  code: ['code', 'pending code', 'replacing code', 'recovery code', 'mailed code'],
  recovery_code: ['recovery code'],
  refresh_token: ['refresh token'],
  token: ['access token', 'refresh token', 'mfa token', 'mailed code'],
}

function secretsFor(member: string): fc.Arbitrary<Value> | undefined {
  const names = SECRETS_OF[member]
  return names && fc.constantFrom(...names).map((secret) => ({ secret }))
}

/** JSON text of values that a schema takes. */
function fitting({ enum: choice, pattern, minLength = 0, maxLength = 64 }: Schema): fc.Arbitrary<string> {
  if (choice) return fc.constantFrom(...choice).map((value) => JSON.stringify(value))
  // fast-check makes no text for a look-ahead; without it, a little of the text does not fit.
  const text = pattern
    ? fc.stringMatching(new RegExp(pattern.replace(/\(\?=.*?\}@\)/, '')), { size: 'small' })
    : fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 130) })
  return text.map((value) => JSON.stringify(value))
}

const hostileName = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'toJSON',
    'then',
    '$ref',
    'id',
    '',
    'a/b~c',
    '\ud800',
    '\u0000',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
)

const deep = (open: string, close: string) => (depth: number) =>
  `${open.repeat(depth)}1${close.repeat(depth)}`

/** JSON text of values that nobody expects. */
const hostileValue: fc.Arbitrary<string> = fc.oneof(
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc.constantFrom(
    '1e400',
    '-1e400',
    '-0',
    '1e-400',
    '9'.repeat(400),
    '0.1',
    '2147483648',
    '9007199254740993',
    'null',
    'true',
    '[]',
    '{}',
    '""',
  ),
  fc.constantFrom(
    '"\\ud800"',
    '"\\udfff\\ud800"',
    '"\\u0000"',
    '"\\ufeff"',
    '"\\u202e"',
    '"\\u212a"',
    '"%s%d{{7*7}}<%= 7*7 %>"',
    '"\' or 1=1--"',
    '"a\\r\\nBcc: x@example.com"',
  ),
  fc.constantFrom(
    '{"__proto__":{"admin":true}}',
    '{"constructor":{"prototype":{}}}',
    '{"toString":1}',
    '{"length":9}',
    '[["a"]]',
    'NaN',
    'undefined',
    '01',
    "'a'",
  ),
  fc.string({ unit: 'binary', maxLength: 300 }).map((text) => JSON.stringify(text)),
  fc.nat(4000).map((length) => JSON.stringify('x'.repeat(length))),
  fc.nat(3000).map(deep('[', ']')),
  fc.nat(2000).map(deep('{"a":', '}')),
)

const hostileContent: fc.Arbitrary<Content> = fc.oneof(
  hostileValue,
  fc.array(fc.tuple(hostileName, hostileValue), { maxLength: 8 }),
  fc.uint8Array({ maxLength: 200 }),
  fc.nat(900).map((width) => `{${Array.from({ length: width }, (_, index) => `"k${index}":0`)}}`),
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.constantFrom('', '{', '[', '{}{}', ' '.repeat(16_385), '\ufeff{}', '{"username":"ada"'),
  fc.webQueryParameters(),
)
