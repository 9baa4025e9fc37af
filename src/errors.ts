import { type ProblemCode, problemStatus } from './catalogue.ts'
import type { DatabaseFault } from './platform/database-faults.ts'
import { MailError } from './platform/mail-error.ts'
import { StacklessError } from './platform/stackless-error.ts'

export { oauthCodes, type ProblemCode, problemCodes, problemStatus, problemTitle } from './catalogue.ts'

/** One fault in the body. `pointer` is a JSON Pointer (RFC 6901), `''` for the body as a whole. */
export interface FieldFault {
  pointer: string
  detail: string
}

/** Members that some problems have in addition to the common ones (RFC 9457 section 3.2). */
export interface ProblemExtras {
  errors?: FieldFault[]
  attempts_left?: number
  server_time?: string
  /** The token that the route takes. */
  needs?: 'account_token'
  /** Tells the causes of one code apart. */
  reason?: string
}

interface AppErrorOptions {
  extras?: ProblemExtras
  /** Whole seconds, for the `Retry-After` header. */
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
    this.extras = options.extras ?? {}
    this.headers = { ...options.headers }
    if (options.retryAfter !== undefined) this.headers['retry-after'] = String(options.retryAfter)
  }

  get status(): number {
    return problemStatus(this.code)
  }
}

export const validationFailed = (errors: FieldFault[]) =>
  new AppError('validation_failed', 'The request body does not match what this route takes; see errors.', {
    extras: { errors },
  })

export const malformedJson = (detail: string) => new AppError('malformed_json', detail)

export const unsupportedMediaType = () =>
  new AppError(
    'unsupported_media_type',
    'Send the body as application/json, or as the form that OAuth asks for.',
  )

export const invalidCredentials = () =>
  new AppError('invalid_credentials', 'The username or the password is wrong.')

/** The reason is for the log only: the client sees the same answer for all refused tokens (RFC 6750 section 3.1). */
export const invalidToken = (reason: string) =>
  new AppError('invalid_token', 'The token is missing, expired, used up, or not meant for this route.', {
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    cause: reason,
  })

/** No token was sent: a challenge without an error code (RFC 6750 section 3.1). */
export const missingToken = () =>
  new AppError('invalid_token', 'The token is missing, expired, used up, or not meant for this route.', {
    headers: { 'www-authenticate': 'Bearer' },
    cause: 'no bearer token was sent',
  })

/** Unknown, expired, used and ended tokens get the same answer. */
export const invalidRefreshToken = (reason: string) =>
  new AppError('invalid_refresh_token', 'The refresh token is unknown, expired or used. Log in again.', {
    cause: reason,
  })

/** Wrong secrets, unknown and disabled clients get the same answer. */
export const invalidClient = (reason: string) =>
  new AppError('invalid_client', 'The client is unknown, disabled, or its secret is wrong.', {
    headers: { 'www-authenticate': 'Basic realm="keyturn"' },
    cause: reason,
  })

/** RFC 6750 section 3.1. */
export const insufficientScope = (scope: string) =>
  new AppError('insufficient_scope', `This takes a client, or its token, with the scope ${scope}.`, {
    headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
  })

export const insufficientUserAuthentication = (acr: string) =>
  stepUpNeeded(
    'This takes an account token: sign in, or POST /2fa/step-up with the password and a code.',
    acr,
  )

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
  new AppError('too_many_attempts', 'Too many failed attempts. Sign in again.', {
    extras: { reason: 'sign_in_again' },
  })

export const enrolmentCodeRequired = () =>
  new AppError(
    'enrolment_code_required',
    'The first factor of this account takes the enrolment code that the people who run this service handed out.',
  )

export const registrationClosed = () =>
  new AppError('registration_closed', 'Accounts are made by the operator of this service.')

export const notFound = () => new AppError('not_found', 'No route has this path.')

export const noSuchSession = () => new AppError('not_found', 'This account has no live session with that id.')

export const methodNotAllowed = (allow: readonly string[]) =>
  new AppError('method_not_allowed', `This path takes ${allow.join(', ')}.`, {
    headers: { allow: allow.join(', ') },
  })

export const notAcceptable = (offered: readonly string[]) =>
  new AppError('not_acceptable', `This route can answer with ${offered.join(', ')}.`)

export const usernameTaken = () =>
  new AppError('username_taken', 'Another account has this username, perhaps in another case.')

export const usernameReserved = () =>
  new AppError('username_taken', 'This username is reserved for the people who run the service.')

export const alreadyEnrolled = () =>
  new AppError(
    'already_enrolled',
    'This account has a second factor. Sign in with it; an account token can replace it.',
  )

export const notEnrolled = () =>
  new AppError(
    'not_enrolled',
    'No authenticator is being set up for this account. Begin with POST /2fa/setup.',
  )

export const emailUnavailable = () =>
  new AppError(
    'email_unavailable',
    'This service sends no codes by email, the account has no address for them, or its owner has not switched them on.',
  )

/** For whoever is signed out: no account is named. */
export const noResetByMail = () =>
  new AppError(
    'email_unavailable',
    'This service sends no mail. The people who run it can help you to a new password.',
  )

export const addressNotProven = () =>
  new AppError('email_unavailable', 'Codes by email take a proven address. Begin with PUT /me/email.')

/** The mailbox must not become the only factor of an account that would have no recovery codes. */
export const mailboxAlone = () =>
  new AppError(
    'email_unavailable',
    'Codes by email come after another second factor. Begin with POST /2fa/setup.',
  )

export const twoFactorRequired = () =>
  new AppError(
    'two_factor_required',
    'This service asks everybody for a second factor; it can be replaced, not removed.',
  )

export const recoveryCodeRequired = () =>
  new AppError(
    'recovery_code_required',
    'Mail is the only second factor of this account, and it has brought the reset token already: add a recovery code.',
  )

export const emailDeliveryFailed = (cause: unknown) =>
  cause instanceof MailError && cause.final
    ? new AppError(
        'email_delivery_failed',
        'The mail server takes no mail for this address. Look whether it is right.',
        {
          extras: { reason: 'refused' },
          cause,
        },
      )
    : new AppError('email_delivery_failed', 'The mail server did not take the mail. Try again in a moment.', {
        retryAfter: 5,
        cause,
      })

/** @param retryAfter whole seconds until the next mail may be requested. */
export const mailedTooOften = (retryAfter: number) =>
  new AppError('rate_limited', `A mail was sent a moment ago. Ask for another one in ${retryAfter} s.`, {
    retryAfter,
  })

/** Wrong, expired and used codes get the same answer. The time of the server helps to find a clock that is off. */
export const invalidCode = (serverTime: string, attemptsLeft?: number) =>
  new AppError(
    'invalid_code',
    'The code is wrong, expired or used. Wait for the next one and check the clock.',
    {
      extras: {
        ...(attemptsLeft === undefined ? {} : { attempts_left: attemptsLeft }),
        server_time: serverTime,
      },
    },
  )

/** @param member the member of the body that holds the password. */
export const passwordRejected = (member: string, detail: string) =>
  new AppError('password_rejected', detail, { extras: { errors: [{ pointer: `/${member}`, detail }] } })

export const rateLimited = (retryAfter: number) =>
  new AppError('rate_limited', `Too many requests from this address. Try again in ${retryAfter} s.`, {
    retryAfter,
  })

/** @param retryAfter whole seconds until recovery codes can be renewed again. */
export const renewedTooOften = (retryAfter: number) =>
  new AppError(
    'rate_limited',
    `Recovery codes were renewed too often. The last ones stay valid. Try again in ${retryAfter} s.`,
    { retryAfter },
  )

/** @param retryAfter whole seconds until the session can be refreshed again. */
export const refreshedTooOften = (retryAfter: number) =>
  new AppError('rate_limited', `This session was refreshed too often. Try again in ${retryAfter} s.`, {
    retryAfter,
  })

export const tooManyAttempts = (retryAfter: number) =>
  new AppError('too_many_attempts', `Too many failed attempts. Try again in ${retryAfter} s.`, { retryAfter })

export const overloaded = (retryAfter: number) =>
  new AppError('overloaded', `Too many passwords are being checked. Try again in ${retryAfter} s.`, {
    retryAfter,
  })

export const unavailable = (cause: unknown) =>
  new AppError('unavailable', 'A part of the service does not answer. Try again in a moment.', {
    retryAfter: 1,
    cause,
  })

/** For operators. A person's request that fails for it says only that a part does not answer. */
export const databaseStoresNothing = ({ reason, words }: DatabaseFault) =>
  new AppError('unavailable', `The database stores nothing: ${words}.`, {
    extras: { reason },
    retryAfter: 1,
    cause: reason,
  })

export const stopping = () =>
  new AppError('unavailable', 'This process is about to end. Ask another one, or try again in a moment.', {
    retryAfter: 1,
    cause: 'stopping',
  })

export const internalError = (cause: unknown) =>
  new AppError(
    'internal_error',
    'The request could not be handled. The log has the details under request_id.',
    {
      cause,
    },
  )
