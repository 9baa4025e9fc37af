/**
 * The catalogue of problems that a client can be told. Clients rely on the code; title and detail are for people. A
 * cause goes to the log only.
 */
const CATALOGUE = {
  validation_failed: [400, 'The request does not have the expected form'],
  malformed_json: [400, 'The body is not JSON'],
  bad_request: [400, 'The request is not well-formed HTTP'],
  invalid_credentials: [401, 'Wrong username or password'],
  invalid_token: [401, 'The token is missing or not valid here'],
  unknown_credential: [401, 'The passkey is not known here'],
  invalid_refresh_token: [401, 'The refresh token is not valid'],
  insufficient_user_authentication: [401, 'Password and second factor have to be shown again'],
  insufficient_scope: [403, 'The client may not do this'],
  two_factor_required: [403, 'The second factor is required'],
  enrolment_code_required: [403, 'An enrolment code is required'],
  registration_closed: [403, 'Registration is closed'],
  not_found: [404, 'There is nothing here'],
  method_not_allowed: [405, 'The method is not allowed here'],
  not_acceptable: [406, 'None of the accepted media types can be produced'],
  request_timeout: [408, 'The request took too long to arrive'],
  username_taken: [409, 'The username is taken'],
  already_enrolled: [409, 'A second factor is already active'],
  factor_limit_reached: [409, 'There are as many factors of this kind as an account can have'],
  not_enrolled: [409, 'There is no second factor to confirm or use'],
  email_unavailable: [409, 'Codes by email are not available'],
  payload_too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'The media type is not supported'],
  invalid_code: [422, 'The code is not valid'],
  passkey_rejected: [422, 'The passkey was refused'],
  recovery_code_required: [422, 'A recovery code is required'],
  password_rejected: [422, 'The password is too easy to guess'],
  rate_limited: [429, 'Too many requests'],
  too_many_attempts: [429, 'Too many failed attempts'],
  headers_too_large: [431, 'The header fields are too large'],
  internal_error: [500, 'Something went wrong on our side'],
  email_delivery_failed: [503, 'The mail could not be delivered'],
  overloaded: [503, 'Too much work at the moment'],
  unavailable: [503, 'The service is not available at the moment'],
} as const satisfies Catalogue

/** What OAuth endpoints answer in a form of their own (RFC 6749 section 5.2, RFC 8707 section 2). */
const OAUTH_CATALOGUE = {
  invalid_request: [400, 'The request does not have the expected form'],
  invalid_client: [401, 'The client is unknown or its secret is wrong'],
  invalid_grant: [400, 'The refresh token is not valid'],
  unauthorized_client: [400, 'The grant is not for this client'],
  unsupported_grant_type: [400, 'There is no such grant'],
  invalid_scope: [400, 'The client does not have the scope'],
  invalid_target: [400, 'There is no such resource'],
  server_error: [500, 'Something went wrong on our side'],
} as const satisfies Catalogue

type Catalogue = Record<string, readonly [status: number, title: string]>

const ALL = { ...CATALOGUE, ...OAUTH_CATALOGUE }

export type ProblemCode = keyof typeof ALL

export const problemCodes = Object.keys(CATALOGUE) as ProblemCode[]
export const oauthCodes = Object.keys(OAUTH_CATALOGUE) as ProblemCode[]

export function problemStatus(code: ProblemCode): number {
  return ALL[code][0]
}

export function problemTitle(code: ProblemCode): string {
  return ALL[code][1]
}
