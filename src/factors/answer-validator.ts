import type { FastifySchemaCompiler } from 'fastify'
import type { TObject } from 'typebox'
import { asMeant, compileValidator, validatorBy } from '../http/schema-compilers.ts'
import { DEFAULT_METHOD } from './code-answer.ts'
import type { Factor, FactorAnswer } from './factor.ts'
import type { Factors } from './factors.ts'

/** The factor that a validated body names, with the answer for it. */
export function answerOf(factors: Factors, body: unknown): { factor: Factor; answer: FactorAnswer } {
  const answer = body as FactorAnswer
  return { factor: factors.named(answer.method ?? DEFAULT_METHOD), answer }
}

/** Validates an answer by the schema of the factor that its `method` names. */
export function answerValidator(factors: Factors): FastifySchemaCompiler<unknown> {
  return validatorByMethod(new Map(factors.all.map(({ method, answer }) => [method, answer])))
}

/**
 * Validates a body by the schema that its `method` names. A union would report the faults of every member. An unknown
 * method is reported as a fault of `method`, and the rest is validated as if it were of the default method. Members of
 * other methods may be `null`, as clients that have one type for all of them send them.
 */
export function validatorByMethod(schemas: ReadonlyMap<string, TObject>): FastifySchemaCompiler<unknown> {
  const methods = [...schemas.keys()]
  const ofDefault = schemas.get(DEFAULT_METHOD)
  if (!ofDefault) throw new Error(`There is no method ${DEFAULT_METHOD}`)
  const otherwiseSchema = {
    ...ofDefault,
    properties: { ...ofDefault.properties, method: { enum: methods } },
  }
  const all: TObject['properties'] = Object.assign(
    {},
    ...[...schemas.values()].map((each) => each.properties),
  )
  return (route) => {
    const compile = (schema: Pick<TObject, 'properties'>) => {
      const validate = compileValidator({ ...route, schema })
      const ofOthers = Object.entries(all).filter(([name]) => !(name in schema.properties))
      return validatorBy((body) => {
        asMeant({ properties: Object.fromEntries(ofOthers) }, body)
        return validate
      })
    }
    const members = new Map([...schemas].map(([method, schema]) => [method, compile(schema)]))
    const otherwise = compile(otherwiseSchema)
    return validatorBy((body) => members.get(methodOf(body)) ?? otherwise)
  }
}

function methodOf(body: unknown): string {
  const method = (body as { method?: unknown } | null)?.method ?? DEFAULT_METHOD
  return typeof method === 'string' ? method : ''
}
