import type { FastifySchema, RouteOptions } from 'fastify'
import { type ProblemCode, problemStatus, problemTitle } from '../errors.ts'
import { PROBLEM_MEDIA_TYPE } from './problem.ts'
import { ProblemSchema, ref } from './schemas.ts'

/** Where a body can come, it can be wrong: also where none is taken. */
const WITH_BODY: ProblemCode[] = [
  'validation_failed',
  'malformed_json',
  'payload_too_large',
  'unsupported_media_type',
]
const BODILESS = ['GET', 'HEAD']
const ALWAYS: ProblemCode[] = ['rate_limited', 'internal_error', 'unavailable']

/**
 * The schema of a route as the OpenAPI document has it: with the security it asks for and every problem it can
 * answer with. The document alone needs those; problems are not serialized by the schemas of routes.
 */
export function describeRoute(schema: FastifySchema, route: RouteOptions): FastifySchema {
  const guard = route.config?.guard
  if (!guard || !schema?.operationId) return schema
  const codes = [
    ...(BODILESS.includes(String(route.method)) ? [] : WITH_BODY),
    ...guard.problems,
    ...(route.config?.problems ?? []),
    ...ALWAYS,
  ]
  return {
    ...schema,
    security: guard.security,
    response: { ...(schema.response as object), ...problemResponses(codes) },
  }
}

function problemResponses(codes: readonly ProblemCode[]): Record<number, object> {
  const byStatus = Map.groupBy(new Set(codes), problemStatus)
  return Object.fromEntries(
    [...byStatus].map(([status, sameStatus]) => [
      status,
      {
        description: sameStatus.map((code) => `\`${code}\`: ${problemTitle(code)}`).join(' · '),
        ...(RETRY_LATER.includes(status) && {
          headers: { 'Retry-After': { type: 'integer', description: 'Seconds until a new try makes sense' } },
        }),
        content: {
          [PROBLEM_MEDIA_TYPE]: {
            schema: ref(ProblemSchema),
            examples: Object.fromEntries(sameStatus.map((code) => [code, { value: exampleOf(code) }])),
          },
        },
      },
    ]),
  )
}

const RETRY_LATER = [429, 503]

function exampleOf(code: ProblemCode): object {
  return {
    type: `urn:keyturn:problem:${code}`,
    title: problemTitle(code),
    status: problemStatus(code),
    detail: 'A sentence for the person who reads it.',
    code,
    request_id: '0197c2a4-5f0e-7c3a-9d8e-2b1f6a7c8d9e',
  }
}
