import type ajvCompiler from '@fastify/ajv-compiler'
import type { SerializerSelector } from '@fastify/fast-json-stringify-compiler'
import type { FastifySchemaCompiler } from 'fastify'
import { isNumericCode } from '../crypto/typed-code.ts'
import { atFirstUse, packageAtFirstUse } from '../platform/at-first-use.ts'
import { asMeant } from './as-meant.ts'

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
