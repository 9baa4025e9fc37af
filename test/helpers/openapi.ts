import type { Test } from 'tap'
import { Errors } from 'typebox/schema'
import { PROBLEM_MEDIA_TYPE } from '../../src/http/problem.ts'
import type { Answer } from './service.ts'

/** As much of an OpenAPI 3.1 document as the tests look at. */
export interface OpenApi {
  openapi: string
  tags: { name: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object>; securitySchemes: Record<string, object> }
}

export interface Operation {
  operationId?: string
  summary?: string
  tags?: string[]
  security?: Record<string, string[]>[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, { description: string; content?: Record<string, Media>; headers?: object }>
}

interface Media {
  schema: object
  example?: unknown
  examples?: Record<string, { value: unknown }>
}

export interface NamedOperation extends Operation {
  method: string
  path: string
}

export function operationsOf({ paths }: OpenApi): NamedOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      path,
      method: method.toUpperCase(),
    })),
  )
}

export const examplesOf = ({ example, examples = {} }: Media): unknown[] => [
  ...(example === undefined ? [] : [example]),
  ...Object.values(examples).map(({ value }) => value),
]

export const problemCodesOf = ({ responses }: Operation, status: number): string[] =>
  Object.keys(responses[status]?.content?.[PROBLEM_MEDIA_TYPE]?.examples ?? {})

/** What is wrong with a value by a schema of the document; nothing when it fits. */
export function faultsBySchema(document: OpenApi, schema: object, value: unknown): string[] {
  const [, errors] = Errors(resolved(document, schema) as object, value)
  return errors.map(({ instancePath, message }) => `${instancePath || '(the whole)'} ${message}`)
}

/** A schema with what it refers to in place of the references. */
export function resolved(document: OpenApi, schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map((part) => resolved(document, part))
  if (typeof schema !== 'object' || schema === null) return schema
  const { $ref, ...rest } = schema as { $ref?: string }
  if ($ref) return resolved(document, document.components.schemas[$ref.replace('#/components/schemas/', '')])
  return Object.fromEntries(Object.entries(rest).map(([name, part]) => [name, resolved(document, part)]))
}

/** What an answer has that the document does not say of this operation: status, media type, problem code or body. */
export function faultsByDocument(document: OpenApi, operation: NamedOperation, answer: Answer): string[] {
  const response = operation.responses[answer.status]
  if (!response) return ['the status is not in the document']
  if (answer.text === '') return response.content ? ['there is no body'] : []
  const [type = ''] = String(answer.headers['content-type']).split(';')
  const media = response.content?.[type]
  if (!media) return [`${type} is not in the document`]
  if (type === PROBLEM_MEDIA_TYPE && !problemCodesOf(operation, answer.status).includes(answer.body.code))
    return ['the code is not in the document']
  return answer.body === undefined ? [] : faultsBySchema(document, media.schema, answer.body)
}

/** Asserts that the document says that this operation may answer so: status, media type, problem code and body. */
export function isDocumented(t: Test, document: OpenApi, operation: NamedOperation, answer: Answer): void {
  const about = `${operation.method} ${operation.path} answers ${answer.status} ${answer.body?.code ?? ''}`
  t.strictSame(faultsByDocument(document, operation, answer), [], about)
}
