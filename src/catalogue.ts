/**
 * The catalogue of problems that a client can be told. Clients rely on the code; title and detail are for people. A
 * cause goes to the log only.
 */
const CATALOGUE = {
  validation_failed: 400,
  malformed_json: 400,
  bad_request: 400,
  invalid_credentials: 401,
  invalid_token: 401,
  unknown_credential: 401,
  invalid_refresh_token: 401,
  insufficient_user_authentication: 401,
  insufficient_scope: 403,
  two_factor_required: 403,
  enrolment_code_required: 403,
  registration_closed: 403,
  not_found: 404,
  method_not_allowed: 405,
  not_acceptable: 406,
  request_timeout: 408,
  username_taken: 409,
  already_enrolled: 409,
  factor_limit_reached: 409,
  not_enrolled: 409,
  email_unavailable: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  invalid_code: 422,
  passkey_rejected: 422,
  recovery_code_required: 422,
  password_rejected: 422,
  rate_limited: 429,
  too_many_attempts: 429,
  headers_too_large: 431,
  internal_error: 500,
  email_delivery_failed: 503,
  overloaded: 503,
  unavailable: 503,
} as const satisfies Catalogue

/** What OAuth endpoints answer in a form of their own (RFC 6749 section 5.2, RFC 8707 section 2). */
const OAUTH_CATALOGUE = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  invalid_scope: 400,
  invalid_target: 400,
  server_error: 500,
} as const satisfies Catalogue

/** The status of each code. */
type Catalogue = Record<string, number>

const ALL = { ...CATALOGUE, ...OAUTH_CATALOGUE }

export type ProblemCode = keyof typeof ALL

/** What can be wrong with one member of a body. */
export const fieldCodes = ['required', 'too_short', 'too_long', 'pattern', 'type', 'unknown_member'] as const
export type FieldCode = (typeof fieldCodes)[number]

/** Why a token is refused that was good once, or that is of another kind. */
export type TokenFault = 'expired' | 'used' | 'ended' | 'wrong_kind'

/** Why a password is not taken. */
export const passwordFaultCodes = ['too_short', 'common', 'is_username', 'is_service_name'] as const
export type PasswordFault = (typeof passwordFaultCodes)[number]

export const problemCodes = Object.keys(CATALOGUE) as ProblemCode[]
export const oauthCodes = Object.keys(OAUTH_CATALOGUE) as ProblemCode[]

export function problemStatus(code: ProblemCode): number {
  return ALL[code]
}
