import type { Test } from 'tap'
import { Errors } from 'typebox/schema'
import { PROBLEM_MEDIA_TYPE } from '../../../src/http/problem.ts'
import type { Answer } from './service.ts'

/** As much of an OpenAPI 3.1 document as the tests look at. */
export interface OpenApi {
  openapi: string
  tags: { name: string }[]
  paths: Record<string, Record<string, Operation>>
  components: {
    schemas: Record<string, object>
    securitySchemes: Record<string, object>
    responses: Record<string, Response>
    examples: Record<string, object>
  }
}

export interface Operation {
  operationId?: string
  summary?: string
  description?: string
  tags?: string[]
  security?: Record<string, string[]>[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, Response>
}

interface Response {
  description: string
  content?: Record<string, Media>
  headers?: object
}

interface Media {
  schema: { allOf?: { properties?: { code?: { enum: string[] } } }[] }
  example?: unknown
  examples?: Record<string, { value: unknown }>
}

export interface NamedOperation extends Operation {
  method: string
  path: string
}

/** The operations, with what their answers refer to in place of the references. */
export function operationsOf(document: OpenApi): NamedOperation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      responses: resolved(document, operation.responses) as Operation['responses'],
      path,
      method: method.toUpperCase(),
    })),
  )
}

export const examplesOf = ({ example, examples = {} }: Media): unknown[] => [
  ...(example === undefined ? [] : [example]),
  ...Object.values(examples).map(({ value }) => value),
]

/** The codes that an operation can answer with under a status. */
export const problemCodesOf = ({ responses }: Operation, status: number): string[] =>
  responses[status]?.content?.[PROBLEM_MEDIA_TYPE]?.schema.allOf?.[1]?.properties?.code?.enum ?? []

/** What is wrong with a value by a schema of the document; nothing when it fits. */
export function faultsBySchema(document: OpenApi, schema: object, value: unknown): string[] {
  const [, errors] = Errors(resolved(document, schema) as object, value)
  return errors.map(({ instancePath, message }) => `${instancePath || '(the whole)'} ${message}`)
}

/** A part of the document with what it refers to in place of the references. */
export function resolved(document: OpenApi, part: unknown): unknown {
  if (Array.isArray(part)) return part.map((item) => resolved(document, item))
  if (typeof part !== 'object' || part === null) return part
  const { $ref, ...rest } = part as { $ref?: string }
  if ($ref) return resolved(document, componentOf(document, $ref))
  return Object.fromEntries(Object.entries(rest).map(([name, inner]) => [name, resolved(document, inner)]))
}

/** What a reference such as `#/components/schemas/User` leads to. */
function componentOf({ components }: OpenApi, reference: string): object {
  const [, kind, name] = /^#\/components\/(\w+)\/(\w+)$/.exec(reference) ?? []
  const component = components[kind as 'schemas']?.[name as string]
  if (!component) throw new Error(`The document has no ${reference}`)
  return component
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
