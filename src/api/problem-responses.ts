import { type ProblemCode, problemCodes, problemStatus } from '../errors.ts'
import { PROBLEM_MEDIA_TYPE } from '../http/problem.ts'
import { texts } from '../texts/texts.ts'
import {
  type Examples,
  named,
  type OpenApiDocument,
  operationsOf,
  type RecordedExamples,
} from './examples.ts'

/**
 * Writes the error answers of all operations, with their examples. Each response is written once, in
 * `components.responses`, and an example that is not of one operation alone once, in `components.examples`. Inlined,
 * they were three quarters of the document.
 */
export function addProblemResponses(
  document: OpenApiDocument,
  { problems, operations }: RecordedExamples,
): void {
  const responses: Record<string, object> = {}
  const examples: Record<string, object> = {}
  /** By what they say. */
  const names = new Map<string, string>()
  for (const operation of operationsOf(document)) {
    const { operationId, 'x-problems': codes = [], 'x-oauth-errors': oauth = [] } = operation
    delete operation['x-problems']
    delete operation['x-oauth-errors']
    // In the order of the catalogue, so that the name does not depend on the order of a route.
    const ordered = problemCodes.filter((code) => codes.includes(code))
    const byStatus = Map.groupBy(ordered, problemStatus)
    for (const status of new Set([...byStatus.keys(), ...oauth])) {
      const own = operations[operationId]?.answers[status] ?? {}
      const ofStatus = byStatus.get(status) ?? []
      const response = errorResponse(status, ofStatus, own, oauth.includes(status))
      const content = JSON.stringify(response)
      const isShared = Object.keys(own).length === 0 && !oauth.includes(status)
      const ownName = isShared ? ofStatus.join('_or_') : `${operationId}_${status}`
      const name = names.get(content) ?? pascalCase(ownName)
      names.set(content, name)
      responses[name] = response
      for (const code of ofStatus) if (!(code in own)) examples[code] = { value: problems[code] }
      operation.responses[status] = { $ref: `#/components/responses/${name}` }
    }
  }
  Object.assign(document.components, { responses, examples })
}

/** `rate_limited_or_too_many_attempts` becomes `RateLimitedOrTooManyAttempts`. */
function pascalCase(name: string): string {
  return name.replace(/(?:^|_)([a-z\d])/g, (_, letter) => letter.toUpperCase())
}

const RETRY_LATER = [429, 503]

/** @param own the examples of the operation. */
function errorResponse(
  status: number,
  codes: readonly ProblemCode[],
  own: Examples,
  isOAuth: boolean,
): object {
  const descriptions = codes.map((code) => `\`${code}\`: ${texts.titles[code]}`)
  const oauth = Object.entries(own).filter(([code]) => !codes.includes(code as ProblemCode))
  return {
    description: [...descriptions, ...(isOAuth ? ['an error of OAuth (RFC 6749 section 5.2)'] : [])].join(
      ' · ',
    ),
    ...(RETRY_LATER.includes(status) && {
      headers: {
        'Retry-After': {
          description: 'Seconds to wait before the next attempt',
          schema: { type: 'integer' },
        },
      },
    }),
    content: {
      ...(codes.length > 0 && { [PROBLEM_MEDIA_TYPE]: problemContent(codes, own) }),
      ...(isOAuth && {
        'application/json': {
          schema: { $ref: '#/components/schemas/OAuthError' },
          examples: named(Object.fromEntries(oauth)),
        },
      }),
    },
  }
}

const problemContent = (codes: readonly ProblemCode[], own: Examples) => ({
  schema: {
    allOf: [
      { $ref: '#/components/schemas/Problem' },
      { type: 'object', properties: { code: { enum: codes } } },
    ],
  },
  examples: Object.fromEntries(
    codes.map((code) => [
      code,
      code in own ? { value: own[code] } : { $ref: `#/components/examples/${code}` },
    ]),
  ),
})

declare module 'fastify' {
  interface FastifySchema {
    'x-problems'?: readonly ProblemCode[]
    'x-oauth-errors'?: readonly number[]
  }
}
