import { readFileSync } from 'node:fs'
import type { ProblemCode } from '../errors.ts'

/** Bodies by the name of the example; of a refusal, by its code. */
export type Examples = Record<string, unknown>

/** What a real service was asked, and what it has answered. `npm run openapi` records it. */
export interface RecordedExamples {
  /** Of each problem, where the operation has none of its own. */
  problems: Examples
  /** By `operationId`; the answers by their status. */
  operations: Record<string, { requests: Examples; answers: Record<string, Examples> }>
}

/** Read each time: the document is made once, and by few services. */
export function readExamples(): RecordedExamples {
  return JSON.parse(readFileSync(new URL('./examples.json', import.meta.url), 'utf8'))
}

/** As OpenAPI writes a map of examples. */
export const named = (examples: Examples): Record<string, { value: unknown }> =>
  Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }]))

/** The parts of an OpenAPI document that are written here. */
export interface OpenApiDocument {
  paths: Record<string, Record<string, Operation>>
  components: object
}

interface Operation {
  operationId: string
  tags?: string[]
  requestBody?: { required?: boolean; content: Record<string, { schema?: BodySchema }> }
  responses: Record<string, { content?: Record<string, object>; $ref?: string }>
  /** What it can answer with, problems by code and OAuth's errors by status, until `responses` takes their place. */
  'x-problems'?: readonly ProblemCode[]
  'x-oauth-errors'?: readonly number[]
}

interface BodySchema {
  properties?: object
  required?: readonly string[]
}

export const operationsOf = ({ paths }: Pick<OpenApiDocument, 'paths'>): Operation[] =>
  Object.values(paths).flatMap((path) => Object.values(path))

/** Writes the examples of bodies, and of the answers to requests that succeed. */
export function addExamples(document: OpenApiDocument, { operations }: RecordedExamples): void {
  for (const { operationId, requestBody, responses } of operationsOf(document)) {
    const { requests = {}, answers = {} } = operations[operationId] ?? {}
    for (const media of Object.values(requestBody?.content ?? {})) Object.assign(media, inMedia(requests))
    for (const [status, examples] of Object.entries(answers)) {
      const media = responses[status]?.content?.['application/json']
      if (media) Object.assign(media, inMedia(examples))
    }
  }
}

/** A single example needs no name: with one, Swagger UI shows a list to choose from. */
function inMedia(examples: Examples): object {
  const [first, ...others] = Object.values(examples)
  return others.length > 0 ? { examples: named(examples) } : { example: first }
}
