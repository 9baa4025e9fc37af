import {
  type FieldCode,
  type PasswordFault,
  type ProblemCode,
  problemStatus,
  type TokenFault,
} from './catalogue.ts'
import type { DatabaseFault } from './platform/database-faults.ts'
import { StacklessError } from './platform/stackless-error.ts'
import { texts } from './texts/texts.ts'

export * from './catalogue.ts'

const { details, tokenFaults } = texts

/** One fault in the body. `pointer` is a JSON Pointer (RFC 6901), `''` for the body as a whole. */
export interface FieldFault {
  pointer: string
  code: FieldCode
  detail: string
  /** What `too_short` falls short of, in characters. */
  min?: number
  /** What `too_long` is over, in characters. */
  max?: number
}

/** Members that some problems have in addition to the common ones (RFC 9457 section 3.2). */
export interface ProblemExtras {
  errors?: FieldFault[]
  attempts_left?: number
  /** Whole seconds. */
  retry_after?: number
  server_time?: string
  /** Why a password is not taken, all that apply. */
  reasons?: PasswordFault[]
  /** Characters that a password must have, where it has fewer. */
  min?: number
  /** The token that the route takes. */
  needs?: 'account_token'
  /** Tells the causes of one code apart. */
  reason?: string
}

interface AppErrorOptions {
  extras?: ProblemExtras
  /** Whole seconds, for the `Retry-After` header and the member `retry_after`. */
  retryAfter?: number
  headers?: Record<string, string>
  cause?: unknown
}

/** A problem on its way to the client. */
export class AppError extends StacklessError {
  override readonly name = 'AppError'
  readonly code: ProblemCode
  readonly extras: ProblemExtras
  readonly headers: Record<string, string>

  constructor(code: ProblemCode, detail: string, options: AppErrorOptions = {}) {
    super(detail, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    const { retryAfter, extras, headers } = options
    this.extras = { ...extras, ...(retryAfter !== undefined && { retry_after: retryAfter }) }
    this.headers = { ...headers, ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }) }
  }

  get status(): number {
    return problemStatus(this.code)
  }
}

/** Its detail says what is wrong first: a form that shows no other text still says something. */
export const validationFailed = (errors: FieldFault[]) =>
  new AppError('validation_failed', errors[0]?.detail ?? details.formNotFilledIn, {
    extras: { errors },
  })

export const malformedJson = (detail: string) => new AppError('malformed_json', detail)

/** @param types those that the route takes. */
export const unsupportedMediaType = (types: readonly string[] = ['application/json']) =>
  new AppError('unsupported_media_type', details.unsupportedMediaType(types.join(' or ')))

export const invalidCredentials = () => new AppError('invalid_credentials', details.invalidCredentials)

/**
 * @param cause for the log only.
 * @param reason for the client, where its holder may know it: the token was one of ours, or says itself of what kind it is.
 */
export const invalidToken = (cause: string, reason?: TokenFault) =>
  new AppError('invalid_token', tokenFaults[reason ?? 'wrong_kind'], {
    ...(reason && { extras: { reason } }),
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    cause,
  })

/** No token was sent: a challenge without an error code (RFC 6750 section 3.1). */
export const missingToken = () =>
  new AppError('invalid_token', tokenFaults.wrong_kind, {
    headers: { 'www-authenticate': 'Bearer' },
    cause: 'no bearer token was sent',
  })

/** Unknown, expired, used and ended tokens get the same answer. */
export const invalidRefreshToken = (reason: string) =>
  new AppError('invalid_refresh_token', details.invalidRefreshToken, {
    cause: reason,
  })

/** RFC 6749 section 2.3: a client shows itself in one way at a time. */
export const credentialsTwice = () => new AppError('invalid_request', details.credentialsTwice)

/** Wrong secrets, unknown and disabled clients get the same answer. */
export const invalidClient = (reason: string) =>
  new AppError('invalid_client', details.invalidClient, {
    headers: { 'www-authenticate': 'Basic realm="keyturn"' },
    cause: reason,
  })

/** RFC 6750 section 3.1. */
export const insufficientScope = (scope: string) =>
  new AppError('insufficient_scope', details.insufficientScope(scope), {
    headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
  })

export const insufficientUserAuthentication = (acr: string) =>
  stepUpNeeded(details.insufficientUserAuthentication, acr)

/** RFC 9470 section 3. @param acr what has to be shown. */
export function stepUpNeeded(detail: string, acr: string, extras: ProblemExtras = {}): AppError {
  return new AppError('insufficient_user_authentication', detail, {
    extras: { needs: 'account_token', ...extras },
    headers: {
      'www-authenticate': `Bearer error="insufficient_user_authentication", acr_values="${acr}", max_age=300`,
    },
  })
}

export const tooManyStepUps = () =>
  new AppError('too_many_attempts', details.tooManyStepUps, {
    extras: { reason: 'sign_in_again' },
  })

export const enrolmentCodeRequired = () =>
  new AppError('enrolment_code_required', details.enrolmentCodeRequired)

export const registrationClosed = () => new AppError('registration_closed', details.registrationClosed)

export const notFound = () => new AppError('not_found', details.notFound)

export const noSuchSession = () => new AppError('not_found', details.noSuchSession)

export const methodNotAllowed = (allow: readonly string[]) =>
  new AppError('method_not_allowed', details.methodNotAllowed(allow.join(', ')), {
    headers: { allow: allow.join(', ') },
  })

export const notAcceptable = (offered: readonly string[]) =>
  new AppError('not_acceptable', details.notAcceptable(offered.join(', ')))

export const usernameTaken = () => new AppError('username_taken', details.usernameTaken)

export const usernameReserved = () => new AppError('username_taken', details.usernameReserved)

export const alreadyEnrolled = () => new AppError('already_enrolled', details.alreadyEnrolled)

export const notEnrolled = () => new AppError('not_enrolled', details.notEnrolled)

export const twoFactorRequired = () => new AppError('two_factor_required', details.twoFactorRequired)

export const recoveryCodeRequired = () => new AppError('recovery_code_required', details.recoveryCodeRequired)

/** Wrong, expired and used codes get the same answer. The time of the server helps to find a clock that is off. */
export const invalidCode = (serverTime: string, attemptsLeft?: number, detail = details.invalidCode) =>
  new AppError('invalid_code', detail, {
    extras: {
      ...(attemptsLeft === undefined ? {} : { attempts_left: attemptsLeft }),
      server_time: serverTime,
    },
  })

/** @param min characters that it must have. */
export const passwordRejected = (reasons: PasswordFault[], detail: string, min: number) =>
  new AppError('password_rejected', detail, {
    extras: { reasons, ...(reasons.includes('too_short') && { min }) },
  })

export const rateLimited = (retryAfter: number) =>
  new AppError('rate_limited', details.rateLimited(retryAfter), {
    retryAfter,
  })

/** @param retryAfter whole seconds until recovery codes can be renewed again. */
export const renewedTooOften = (retryAfter: number) =>
  new AppError('rate_limited', details.renewedTooOften(retryAfter), { retryAfter })

/** @param retryAfter whole seconds until the session can be refreshed again. */
export const refreshedTooOften = (retryAfter: number) =>
  new AppError('rate_limited', details.refreshedTooOften(retryAfter), {
    retryAfter,
  })

export const tooManyAttempts = (retryAfter: number) =>
  new AppError('too_many_attempts', details.tooManyAttempts(retryAfter), { retryAfter })

export const overloaded = (retryAfter: number) =>
  new AppError('overloaded', details.overloaded(retryAfter), {
    retryAfter,
  })

export const unavailable = (cause: unknown) =>
  new AppError('unavailable', details.unavailable, {
    retryAfter: 1,
    cause,
  })

/** For operators. A person's request that fails for it says only that a part does not answer. */
export const databaseStoresNothing = ({ reason, words }: DatabaseFault) =>
  new AppError('unavailable', details.databaseStoresNothing(words), {
    extras: { reason },
    retryAfter: 1,
    cause: reason,
  })

export const stopping = () =>
  new AppError('unavailable', details.stopping, {
    retryAfter: 1,
    cause: 'stopping',
  })

export const internalError = (cause: unknown) =>
  new AppError('internal_error', details.internalError, {
    cause,
  })
