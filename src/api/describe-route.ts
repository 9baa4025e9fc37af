import type { FastifySchema, RouteOptions } from 'fastify'
import type { ProblemCode } from '../errors.ts'
import { withNulls } from '../http/schema-compilers.ts'

/** For all methods that can have a body, also on routes that accept none. */
const WITH_BODY: ProblemCode[] = [
  'validation_failed',
  'malformed_json',
  'payload_too_large',
  'unsupported_media_type',
]
const BODILESS = ['GET', 'HEAD']
const ALWAYS: ProblemCode[] = ['rate_limited', 'internal_error', 'unavailable']

/**
 * The schema of a route in the OpenAPI document: with the security schemes it accepts and the codes of every problem
 * it can answer with. Only the document needs those.
 */
export function describeRoute(own: FastifySchema, route: RouteOptions): FastifySchema {
  const json = own?.consumes?.includes('application/json') ?? true
  const schema = own?.body && json ? { ...own, body: withNulls(own.body) } : own
  const guard = route.config?.guard
  if (!guard || !schema?.operationId) return schema
  const { oauthErrors, limit } = route.config ?? {}
  if (oauthErrors === 'all') {
    // 401 is about the client, and for the routes that ask which one it is.
    const statuses = [400, ...(limit === 'client' ? [401] : []), 429, 500, 503]
    return { ...schema, security: guard.security, 'x-oauth-errors': statuses }
  }
  return {
    ...schema,
    security: guard.security,
    ...(oauthErrors && { 'x-oauth-errors': [400, 401] }),
    'x-problems': [
      ...(BODILESS.includes(String(route.method)) ? [] : WITH_BODY),
      ...guard.problems,
      ...(route.config?.problems ?? []),
      ...ALWAYS,
    ],
  }
}
