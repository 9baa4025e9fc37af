import ajvCompiler from '@fastify/ajv-compiler'
import type { FastifySchemaCompiler } from 'fastify'

/**
 * Compiles the schemas of requests, the same way in every host: nothing is coerced or dropped, and all faults are
 * reported at once.
 */
export const compileValidator: FastifySchemaCompiler<object> = ajvCompiler()(
  {},
  { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: true } },
)
