import type ajvCompiler from '@fastify/ajv-compiler'
import type { SerializerSelector } from '@fastify/fast-json-stringify-compiler'
import type { FastifySchemaCompiler } from 'fastify'
import { isNumericCode } from '../crypto/codes.ts'
import { atFirstUse, packageAtFirstUse } from '../platform/packages.ts'

/** The part of JSON Schema that the bodies of this API are written in. */
interface BodySchema {
  type?: unknown
  properties?: Record<string, BodySchema>
  required?: readonly string[] | undefined
  anyOf?: readonly BodySchema[]
  description?: string
  'x-trimmed'?: boolean
}

/** Also what cannot be seen. */
const AROUND = /^[\s\p{Cf}]+|(?<![\s\p{Cf}])[\s\p{Cf}]+$/gu

/** Members that may be left out, and have no meaning of their own for `null`. */
function optionalMembers({ properties = {}, required = [] }: BodySchema): string[] {
  const takesNull = ({ type, anyOf = [] }: BodySchema): boolean => type === 'null' || anyOf.some(takesNull)
  return Object.entries(properties)
    .filter(([name, member]) => !required.includes(name) && !takesNull(member))
    .map(([name]) => name)
}

/**
 * Takes out of a body what stands there for nothing: optional members that are `null`, which clients of many languages
 * send for those that they do not set, and blanks around names, which the keyboards of phones add.
 */
export function asMeant(schema: BodySchema, body: unknown): void {
  if (typeof body !== 'object' || body === null) return
  const members = body as Record<string, unknown>
  for (const name of optionalMembers(schema)) if (members[name] === null) delete members[name]
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const value = members[name]
    if (member['x-trimmed'] && typeof value === 'string') members[name] = value.replace(AROUND, '')
    asMeant(member, value)
  }
}

/** The schema as clients see it: with `null` where it is the same as nothing. */
export function withNulls(schema: BodySchema): BodySchema {
  const { anyOf, properties } = schema
  if (anyOf) return { ...schema, anyOf: anyOf.map(withNulls) }
  if (!properties) return schema
  const optional = optionalMembers(schema)
  const members = Object.entries(properties).map(([name, member]) => {
    const { description, ...inner } = withNulls(member)
    const orNull = { ...(description && { description }), anyOf: [inner, { type: 'null' }] }
    return [name, optional.includes(name) ? orNull : withNulls(member)]
  })
  return { ...schema, properties: Object.fromEntries(members) }
}

// Both compilers, and all that they would compile, are a quarter of a start; most answers with a schema are refusals
// that never come.
const ajvPackage = packageAtFirstUse<typeof ajvCompiler>('@fastify/ajv-compiler')
const serializers = packageAtFirstUse<{ SerializerSelector: typeof SerializerSelector }>(
  '@fastify/fast-json-stringify-compiler',
)

const ajv = atFirstUse(() =>
  ajvPackage()()(
    {},
    {
      customOptions: {
        ...{ coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: true },
        // An address is read where it is used, which tells why one is refused.
        formats: { 'numeric-code': isNumericCode, 'idn-email': true },
        keywords: ['x-trimmed'],
      },
    },
  ),
)

type Validator = ReturnType<FastifySchemaCompiler<object>>

/** A validator that leaves each value to the one that is chosen for it. Fastify reads the faults from its `errors`. */
export function validatorBy(choose: (value: unknown) => Validator): Validator {
  const validate = (value: unknown): boolean => {
    const chosen = choose(value)
    const right = Boolean(chosen(value))
    validate.errors = chosen.errors
    return right
  }
  validate.errors = null as Validator['errors']
  return validate as Validator
}

/**
 * Compiles the schemas of requests, the same way in every host: nothing is coerced, and all faults are
 * reported at once. Each is compiled when the first request needs it.
 */
export const compileValidator: FastifySchemaCompiler<object> = (route) => {
  const compiled = atFirstUse(() => ajv()(route))
  return validatorBy((value) => {
    if (route.httpPart === 'body') asMeant(route.schema, value)
    return compiled()
  })
}

/** The compiler for all scopes of a service. */
export const buildValidator = (() => compileValidator) as unknown as ReturnType<typeof ajvCompiler>

/** Compiles the schemas of answers as Fastify does, each when the first answer needs it. */
export const buildSerializer: ReturnType<typeof SerializerSelector> = (schemas, options) => {
  const compile = atFirstUse(() => serializers().SerializerSelector()(schemas, options))
  return (route) => {
    const compiled = atFirstUse(() => compile()(route))
    return (answer) => compiled()(answer)
  }
}
