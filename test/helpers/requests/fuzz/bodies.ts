import fc from 'fast-check'
import type { SecretName } from './cast.ts'
import { headerValue } from './headers.ts'
import { hostileContent, hostileName, hostileValue } from './hostile-values.ts'

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
  format?: string
  pattern?: string
  minLength?: number
  maxLength?: number
  const?: unknown
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  anyOf?: Schema[]
}

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

/** @param taken the media types that the route takes. */
export function bodies(schema: Schema | undefined, taken: readonly string[] = []): fc.Arbitrary<Sent> {
  const types = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(JSON_TYPE, ...taken) },
    { weight: 1, arbitrary: oddTypes },
  )
  const hostile = fc.record({ type: types, content: hostileContent })
  if (!schema) return fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: hostile })
  const good = fc.record({ type: fc.constantFrom(...taken), content: membersOf(schema, false) })
  const near = fc.record({ type: types, content: membersOf(schema, true).chain(spoiled) })
  return fc.oneof(
    { weight: 4, arbitrary: good },
    { weight: 4, arbitrary: near },
    { weight: 1, arbitrary: hostile },
  )
}

type Members = [name: string, value: Value][]

/** @param hostile whether any value can stand in any place. */
function membersOf(
  { anyOf, properties = {}, required = [] }: Schema,
  hostile: boolean,
): fc.Arbitrary<Members> {
  if (anyOf) return fc.oneof(...anyOf.map((schema) => membersOf(schema, hostile)))
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
  new_password: ['new password'],
  code: ['code', 'pending code', 'replacing code', 'recovery code', 'mailed code'],
  recovery_code: ['recovery code'],
  refresh_token: ['refresh token'],
  grant_type: ['grant'],
  client_id: ['client id'],
  client_secret: ['client secret'],
  token: ['access token', 'account token', 'refresh token', 'mfa token', 'mailed code', 'service token'],
}

function secretsFor(member: string): fc.Arbitrary<Value> | undefined {
  const names = SECRETS_OF[member]
  return names && fc.constantFrom(...names).map((secret) => ({ secret }))
}

/** JSON text of values that a schema takes. */
function fitting({
  type,
  const: only,
  anyOf,
  enum: choice,
  format,
  pattern,
  minLength = 0,
  maxLength = 64,
  items,
  properties,
  required = [],
}: Schema): fc.Arbitrary<string> {
  if (only !== undefined) return fc.constant(JSON.stringify(only))
  if (anyOf) return fc.oneof(...anyOf.map(fitting))
  if (type === 'null') return fc.constant('null')
  if (type === 'boolean') return fc.boolean().map(String)
  if (items) return fc.array(fitting(items), { maxLength: 3 }).map((values) => `[${values}]`)
  if (properties) {
    const members = Object.entries(properties).map(([name, schema]) => {
      const member = fitting(schema).map((value) => [`${JSON.stringify(name)}:${value}`])
      return required.includes(name) ? member : fc.oneof(fc.constant([]), member)
    })
    return fc.tuple(...members).map((lists) => `{${lists.flat()}}`)
  }
  if (choice) return fc.constantFrom(...choice).map((value) => JSON.stringify(value))
  if (format === 'idn-email') return fc.emailAddress().map((address) => JSON.stringify(address))
  if (format === 'numeric-code') pattern = '^[0-9]{6}$'
  const text = pattern
    ? fc.stringMatching(new RegExp(pattern), { size: 'small' })
    : fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 130) })
  return text.map((value) => JSON.stringify(value))
}
