import { AppError, type ProblemCode, problemCodes, problemStatus } from '../errors.ts'
import { makeProblemOf, PROBLEM_MEDIA_TYPE } from '../http/problem.ts'
import { texts } from '../texts/texts.ts'

/** The parts of an OpenAPI document that belong to error answers. */
export interface ProblemDocument {
  paths: Record<string, Record<string, ProblemOperation>>
  components: object
}

interface ProblemOperation {
  responses: Record<string, object>
  /** The codes that the operation can answer with, until they are replaced by `responses`. */
  'x-problems'?: readonly ProblemCode[]
  /** The statuses that it can answer with errors as OAuth has them. */
  'x-oauth-errors'?: readonly number[]
}

/**
 * Writes the error answers of all operations. Each combination of codes is written once, in `components.responses`,
 * and the example of each code once, in `components.examples`. Inlined, they were three quarters of the document.
 */
export function addProblemResponses({ paths, components }: ProblemDocument): void {
  const responses: Record<string, object> = {}
  const examples: Record<string, object> = {}
  for (const operation of Object.values(paths).flatMap((path) => Object.values(path))) {
    const { 'x-problems': codes = [], 'x-oauth-errors': oauth = [] } = operation
    delete operation['x-problems']
    delete operation['x-oauth-errors']
    // In the order of the catalogue, so that the name does not depend on the order of a route.
    const ordered = problemCodes.filter((code) => codes.includes(code))
    const byStatus = Map.groupBy(ordered, problemStatus)
    for (const status of new Set([...byStatus.keys(), ...oauth])) {
      const ofStatus = byStatus.get(status) ?? []
      const isOAuth = oauth.includes(status)
      const name = [responseName(ofStatus), isOAuth && oauthName(status)].filter(Boolean).join('Or')
      responses[name] ??= errorResponse(status, ofStatus, isOAuth)
      for (const code of ofStatus) examples[code] ??= { value: exampleOf(code) }
      operation.responses[status] = { $ref: `#/components/responses/${name}` }
    }
  }
  Object.assign(components, { responses, examples })
}

/** `rate_limited` and `too_many_attempts` become `RateLimitedOrTooManyAttempts`. */
function responseName(codes: readonly ProblemCode[]): string {
  const pascalCase = (code: string) => code.replace(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase())
  return codes.map(pascalCase).join('Or')
}

const RETRY_LATER = [429, 503]

const oauthName = (status: number) => (RETRY_LATER.includes(status) ? 'OAuthErrorForNow' : 'OAuthError')

function errorResponse(status: number, codes: readonly ProblemCode[], isOAuth: boolean): object {
  const descriptions = codes.map((code) => `\`${code}\`: ${texts.titles[code]}`)
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
      ...(codes.length > 0 && { [PROBLEM_MEDIA_TYPE]: problemContent(codes) }),
      ...(isOAuth && { 'application/json': { schema: { $ref: '#/components/schemas/OAuthError' } } }),
    },
  }
}

const problemContent = (codes: readonly ProblemCode[]) => ({
  schema: {
    allOf: [
      { $ref: '#/components/schemas/Problem' },
      { type: 'object', properties: { code: { enum: codes } } },
    ],
  },
  examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
})

const exampleOf = (code: ProblemCode) =>
  makeProblemOf('https://id.example.com')(
    new AppError(code, 'A sentence for the person who reads it.'),
    '0197c2a4-5f0e-7c3a-9d8e-2b1f6a7c8d9e',
  )

declare module 'fastify' {
  interface FastifySchema {
    'x-problems'?: readonly ProblemCode[]
    'x-oauth-errors'?: readonly number[]
  }
}
