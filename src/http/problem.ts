import type {
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifySchemaValidationError,
} from 'fastify'
import fp from 'fastify-plugin'
import type { Static } from 'typebox'
import { QueueFullError } from '../crypto/hash-queue.ts'
import { UnsealError } from '../crypto/secret-box.ts'
import { UnreadableHashError } from '../crypto/stored-hash/stored-hash.ts'
import {
  AppError,
  type FieldCode,
  type FieldFault,
  internalError,
  malformedJson,
  notFound,
  oauthCodes,
  overloaded,
  type ProblemCode,
  problemStatus,
  unavailable,
  unsupportedMediaType,
  validationFailed,
} from '../errors.ts'
import { isDatabaseFault } from '../platform/database-errors.ts'
import { texts } from '../texts/texts.ts'
import { CallerGone } from './caller.ts'
import type { EndRequest } from './request-log.ts'
import type { ProblemSchema } from './schemas.ts'
import type { HeadersOf } from './security-headers.ts'

export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

/** A longer list of faults does not help. */
const MAX_FIELD_FAULTS = 20

/** The body of every error (RFC 9457 section 3). */
export type Problem = Static<typeof ProblemSchema>

export type ProblemOf = (error: AppError, requestId: string) => Problem

/** Problems whose type is the place of their code on the page of this service (RFC 9457 section 3.1.1). */
export const makeProblemOf =
  (issuer: string): ProblemOf =>
  (error, requestId) => ({
    type: `${issuer}/problems#${error.code}`,
    title: texts.titles[error.code],
    status: problemStatus(error.code),
    detail: error.message,
    code: error.code,
    request_id: requestId,
    ...error.extras,
  })

/** The only place that writes errors. Every error becomes problem+json, without internals. */
export const problems = fp(
  async function problems(app: FastifyInstance, { problemOf }: { problemOf: ProblemOf }) {
    app.setNotFoundHandler(() => {
      throw notFound()
    })
    app.setErrorHandler(answerErrors(problemOf))
  },
  { name: 'problems' },
)

const answerErrors = (problemOf: ProblemOf) => {
  const answer = (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const problem = toAppError(isHangUp(error, request) ? new CallerGone() : error, request)
    logCause(problem, request)
    const isOAuth = request.routeOptions.config.oauthErrors === 'all' || oauthCodes.includes(problem.code)
    if (isOAuth) sendOAuthError(problem, reply)
    else send(problem, problem.status, PROBLEM_MEDIA_TYPE, problemOf(problem, request.id), reply)
  }
  return (
    error: FastifyError,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> | undefined => {
    const counting = request.countUnknown?.()
    if (counting)
      return counting
        .catch((limited) => limited)
        .then((limited) => {
          answer(limited ?? error, request, reply)
          return reply
        })
    answer(error, request, reply)
    return undefined
  }
}

/** Whether the client closed the connection within its body. Node.js gives its own error for it the code of a reset. */
function isHangUp(error: FastifyError, request: FastifyRequest): boolean {
  return error.code === 'ECONNRESET' && request.raw.destroyed && !request.raw.complete
}

/** Answers a path that cannot be decoded. Fastify has no route for it, so no hook has run. */
export function routerErrorAnswer(endRequest: EndRequest, headersOf: HeadersOf, problemOf: ProblemOf) {
  const answerError = answerErrors(problemOf)
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    reply.headers(headersOf(request.id))
    void answerError(error, request, reply)
    endRequest(request, reply)
  }
}

function send({ headers }: AppError, status: number, type: string, body: object, reply: FastifyReply): void {
  // Serialized here: an error must not fail because the schemas of the route do not have its status.
  reply.code(status).headers(headers).type(type).serializer(JSON.stringify).send(body)
}

/** What OAuth has a code of its own for. It has none for limits and overload: those keep theirs, and their status. */
const AS_OAUTH: Partial<Record<ProblemCode, ProblemCode>> = {
  bad_request: 'invalid_request',
  internal_error: 'server_error',
  invalid_refresh_token: 'invalid_grant',
  malformed_json: 'invalid_request',
  payload_too_large: 'invalid_request',
  unsupported_media_type: 'invalid_request',
  validation_failed: 'invalid_request',
}

/** RFC 6749 section 5.2. */
function sendOAuthError(error: AppError, reply: FastifyReply): void {
  const code = AS_OAUTH[error.code] ?? error.code
  const body = { error: code, error_description: descriptionOf(error) }
  send(error, problemStatus(code), 'application/json', body, reply)
}

/** What is wrong, with which parameters if there are any, in the characters that a description may have. */
function descriptionOf({ message, extras: { errors = [] } }: AppError): string {
  const faults = errors.map(({ pointer, detail }) => `${pointer.slice(1)}: ${detail}`)
  return (faults.length > 0 ? faults.join(' ') : message).replaceAll('"', "'").replace(/[^ -[\]-~]/g, '?')
}

/** Logs faults of the service with their stack. What was logged before has a word as its cause. Refusals are logged with their reason at the level `debug` only. */
function logCause(error: AppError, request: FastifyRequest): void {
  if (error.cause instanceof CallerGone) {
    request.log.debug('client gone')
    return
  }
  if (error.status >= 500 && error.code !== 'overloaded' && typeof error.cause !== 'string')
    request.log.error({ err: error.cause ?? error, problem: error.code }, 'request failed')
  else request.log.debug({ problem: error.code, reason: error.cause }, 'request refused')
  request.problemCode = error.code
}

/**
 * Maps errors of Fastify by their code (see its errors reference) and errors of this service. Any other error is a
 * fault of the service.
 */
function toAppError(error: FastifyError | AppError | Error, request: FastifyRequest): AppError {
  if (error instanceof AppError) return error
  if (error instanceof QueueFullError) return overloaded(error.retryAfter)
  if (error instanceof CallerGone) return unavailable(error)
  if ('validation' in error && error.validation) return validationFailed(fieldFaults(error.validation))
  const code = 'code' in error ? String(error.code) : ''
  const known = FASTIFY_ERRORS[code]
  if (known) return known(request)
  if (isDatabaseFault(error) || isDamagedRow(error)) return unavailable(error)
  return internalError(error)
}

/** A sealed secret that does not open, or a hash that cannot be read. The sign-in fails, and an operator must look. */
function isDamagedRow(error: unknown): boolean {
  return error instanceof UnsealError || error instanceof UnreadableHashError
}

const FASTIFY_ERRORS: Record<string, (request: FastifyRequest) => AppError> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => new AppError('payload_too_large', texts.details.bodyTooLarge),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ({ routeOptions }) => unsupportedMediaType(routeOptions.schema?.consumes),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () => malformedJson(texts.details.bodyOfOtherLength),
  FST_ERR_CTP_EMPTY_JSON_BODY: () => malformedJson(texts.details.bodyEmpty),
  FST_ERR_BAD_URL: notFound,
  FST_ERR_MAX_PARAM_LENGTH: notFound,
}

function fieldFaults(faults: readonly FastifySchemaValidationError[]): FieldFault[] {
  return faults.slice(0, MAX_FIELD_FAULTS).map(({ instancePath, keyword, params }) => {
    if (keyword === 'additionalProperties')
      return fieldFault('unknown_member', child(instancePath, params.additionalProperty))
    if (keyword === 'required') return fieldFault('required', child(instancePath, params.missingProperty))
    if (keyword === 'minLength') return fieldFault('too_short', instancePath, { min: Number(params.limit) })
    if (keyword === 'maxLength') return fieldFault('too_long', instancePath, { max: Number(params.limit) })
    const ofForm = keyword === 'pattern' || keyword === 'format'
    return fieldFault(ofForm ? 'pattern' : 'type', instancePath)
  })
}

/** A fault, with its sentence. */
function fieldFault(
  code: FieldCode,
  pointer: string,
  bounds: { min?: number; max?: number } = {},
): FieldFault {
  const member = pointer.slice(pointer.lastIndexOf('/') + 1)
  return { pointer, code, detail: texts.fields[code](member, bounds.min ?? bounds.max ?? 0), ...bounds }
}

/** A JSON Pointer to a member (RFC 6901 section 3). */
function child(pointer: string, name: unknown): string {
  return `${pointer}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Which errors have the form of OAuth (RFC 6749 section 5.2): all, or only the ones about the client that asks. */
    oauthErrors?: 'all' | 'client'
  }
}
