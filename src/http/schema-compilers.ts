import ajvCompiler from '@fastify/ajv-compiler'
import { SerializerSelector } from '@fastify/fast-json-stringify-compiler'
import type { FastifySchemaCompiler } from 'fastify'

const ajv = ajvCompiler()(
  {},
  { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: true } },
)

/**
 * Compiles the schemas of requests, the same way in every host: nothing is coerced or dropped, and all faults are
 * reported at once. Each is compiled when the first request needs it, because all of them are a tenth of a start.
 */
export const compileValidator: FastifySchemaCompiler<object> = (route) => {
  let compiled: ReturnType<typeof ajv> | undefined
  const validate = (data: unknown): boolean => {
    compiled ??= ajv(route)
    const right = Boolean(compiled(data))
    validate.errors = compiled.errors
    return right
  }
  validate.errors = null as ReturnType<typeof ajv>['errors']
  return validate as ReturnType<typeof ajv>
}

/** Compiles the schemas of answers as Fastify does, and each when the first answer needs it. Most are refusals. */
export const buildSerializer: ReturnType<typeof SerializerSelector> = (schemas, options) => {
  const compile = SerializerSelector()(schemas, options)
  return (route) => {
    let compiled: ReturnType<typeof compile> | undefined
    return (answer) => {
      compiled ??= compile(route)
      return compiled(answer)
    }
  }
}
