import type { FieldCode, PasswordFault, ProblemCode, TokenFault } from '../catalogue.ts'

/** What people read, in English. Each detail can be shown to the person who filled the form in. */

/** In a sentence such as "The password must have …", by the member of a body. */
const FIELDS: Record<string, string> = {
  // The pointer to the whole.
  '': 'body',
  username: 'username',
  password: 'password',
  current_password: 'present password',
  new_password: 'new password',
  email: 'email address',
  code: 'code',
  recovery_code: 'recovery code',
  enrolment_code: 'enrolment code',
  name: 'name',
}

/** What a member has to look like, where that can be said in a sentence. */
const FORMS: Record<string, string> = {
  username:
    "A username has letters from A to Z, digits and . _ - + ' only, and begins and ends with a letter or a digit.",
  code: 'A code has six digits.',
}

const field = (member: string) => (FIELDS[member] ? `The ${FIELDS[member]}` : `"${member}"`)

/** One fault of a body, by its code. `member` is the last part of its pointer. */
export const fields: Record<FieldCode, (member: string, bound: number) => string> = {
  required: (member) => `${field(member)} is missing.`,
  too_short: (member, min) => `${field(member)} must have at least ${min} character${min === 1 ? '' : 's'}.`,
  too_long: (member, max) => `${field(member)} may have at most ${max} characters.`,
  pattern: (member) => FORMS[member] ?? `${field(member)} does not have the form that is taken here.`,
  type: (member) => `${field(member)} is of the wrong type.`,
  unknown_member: (member) => `"${member}" is not taken here.`,
}

/** Why a token is not taken. The last stands for a missing or altered one too, which a form cannot cause. */
export const tokenFaults: Record<TokenFault, string> = {
  expired: 'This sign-in has expired. Sign in again.',
  used: 'This sign-in was used already. Sign in again.',
  ended: 'You were signed out. Sign in again.',
  wrong_kind: 'The token is missing, expired, used up, or not meant for this route.',
}

/** Why a password is not taken. */
export const passwordFaults: Record<PasswordFault, (min: number) => string> = {
  too_short: (min) => `The password must have at least ${min} characters.`,
  common: () => 'This password is one of the most common ones.',
  is_username: () => 'The password must not be the username.',
  is_service_name: () => 'The password must not be the name of this service.',
}

export const passwordGuidance = 'Three or four unrelated words, or a password manager, make a good one.'

export const titles: Record<ProblemCode, string> = {
  validation_failed: 'The request does not have the expected form',
  malformed_json: 'The body is not JSON',
  bad_request: 'The request is not well-formed HTTP',
  invalid_credentials: 'Wrong username or password',
  invalid_token: 'The token is missing or not valid here',
  unknown_credential: 'The passkey is not known here',
  invalid_refresh_token: 'The refresh token is not valid',
  insufficient_user_authentication: 'Password and second factor have to be shown again',
  insufficient_scope: 'The client may not do this',
  two_factor_required: 'The second factor is required',
  enrolment_code_required: 'An enrolment code is required',
  registration_closed: 'Registration is closed',
  not_found: 'There is nothing here',
  method_not_allowed: 'The method is not allowed here',
  not_acceptable: 'None of the accepted media types can be produced',
  request_timeout: 'The request took too long to arrive',
  username_taken: 'The username is taken',
  already_enrolled: 'A second factor is already active',
  factor_limit_reached: 'There are as many factors of this kind as an account can have',
  not_enrolled: 'There is no second factor to confirm or use',
  email_unavailable: 'Codes by email are not available',
  payload_too_large: 'The body is too large',
  unsupported_media_type: 'The media type is not supported',
  invalid_code: 'The code is not valid',
  passkey_rejected: 'The passkey was refused',
  recovery_code_required: 'A recovery code is required',
  password_rejected: 'The password is not good enough',
  rate_limited: 'Too many requests',
  too_many_attempts: 'Too many failed attempts',
  headers_too_large: 'The header fields are too large',
  internal_error: 'Something went wrong on our side',
  email_delivery_failed: 'The mail could not be delivered',
  overloaded: 'Too much work at the moment',
  unavailable: 'The service is not available at the moment',
  invalid_request: 'The request does not have the expected form',
  invalid_client: 'The client is unknown or its secret is wrong',
  invalid_grant: 'The refresh token is not valid',
  unauthorized_client: 'The grant is not for this client',
  unsupported_grant_type: 'There is no such grant',
  invalid_scope: 'The client does not have the scope',
  invalid_target: 'There is no such resource',
  server_error: 'Something went wrong on our side',
}
