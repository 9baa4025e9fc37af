import type { ProblemCode } from '../../catalogue.ts'

/** What each code means and what a client does about it: for the page of problems and the documents. */
export const meanings: Record<ProblemCode, string> = {
  validation_failed:
    'A member of the body is missing, unknown or wrong. `errors` has each fault with the place, a code and a sentence for the form.',
  malformed_json:
    'The body cannot be read as JSON, has a member twice, or is nested more than 32 levels deep. Fix the client.',
  bad_request:
    'The request is not HTTP as RFC 9112 has it, or it has no `Host` header or more than one. Fix the client or the proxy.',
  invalid_credentials:
    'No account has this username, or the password is another one, or an operator has closed the account. Clients cannot tell which.',
  invalid_token:
    'The token is missing, altered, expired, used, ended, or of another kind; `reason` says which where that is safe. Refresh an access token. Begin the sign-in again where an mfa token is meant.',
  unknown_credential:
    'No account has this passkey. With `reason: removed` it was removed here, and the app may tell the authenticator to forget it.',
  invalid_refresh_token:
    'The refresh token is unknown, expired or used, or its session has ended. Sign in again.',
  insufficient_user_authentication:
    'The route needs an account token, or a session with a stronger factor. Get it from `POST /2fa/step-up`, or sign in again (RFC 9470).',
  insufficient_scope:
    'The service client does not have the scope. An operator gives it with `keyturn clients`.',
  two_factor_required:
    'This service asks everybody for a second factor: the last one can be replaced, not removed.',
  enrolment_code_required:
    'An operator has reset, made or imported the account. Its first factor takes the enrolment code that they handed out.',
  registration_closed: 'Accounts are made by the operator alone.',
  not_found: 'There is no such path, or the account has no such session or factor.',
  method_not_allowed: 'The path takes other methods: those in `Allow`.',
  not_acceptable: 'The route cannot answer in a media type of `Accept`.',
  request_timeout: 'The request did not arrive within ten seconds. Send it again.',
  username_taken: 'Another account has this username, perhaps in another case, or it is reserved.',
  already_enrolled: 'The account has a second factor: sign in with it, and add another by an account token.',
  factor_limit_reached: 'An account can have 5 authenticators and 20 passkeys. Remove one first.',
  not_enrolled: 'No authenticator is being set up. Begin with `POST /2fa/setup`.',
  email_unavailable:
    'The service sends no mail of this kind, or the account has no proven address, or its owner has not switched codes by mail on.',
  payload_too_large: 'A body may have 16 KiB at most.',
  unsupported_media_type: 'Send JSON as `application/json`, without a content encoding.',
  invalid_code:
    'The code is wrong, expired or used; clients cannot tell which. `attempts_left` is how many this sign-in has left; `server_time` shows a clock that is off.',
  passkey_rejected:
    'The answer of the authenticator was not accepted. `reason` says why: `challenge`, `origin`, `user_verification`, `counter` or `credential`.',
  recovery_code_required:
    'Mail is the only second factor of this account, and the reset token came by mail: send a recovery code as well.',
  password_rejected:
    '`reasons` says why: `too_short` (with `min`), `common`, `is_username`, `is_service_name`. Ask for another password.',
  rate_limited:
    'Too many requests from one address or service client, or too many mails. Wait for `retry_after` seconds.',
  too_many_attempts:
    'Too many wrong answers for this account. Wait for `retry_after` seconds, or sign in with a recovery code or a passkey.',
  headers_too_large: 'The request line and the header fields are too long together.',
  internal_error: 'A fault of the service. The log has it under `request_id`.',
  email_delivery_failed:
    'The mail server did not take the mail: try again, or use another factor. With `reason: refused` it takes none for this address.',
  overloaded: 'Too many passwords are being checked. Wait for `retry_after` seconds.',
  unavailable:
    'The database, or another part, does not answer, or the process is about to end. Wait for `retry_after` seconds.',
  invalid_request: 'A parameter of the form is missing, twice or wrong.',
  invalid_client:
    'The service client is unknown or disabled, or its secret is wrong; clients cannot tell which.',
  invalid_grant: 'The refresh token is unknown, expired or used, or its session has ended. Sign in again.',
  unauthorized_client: 'A service client has no refresh tokens: they are for people.',
  unsupported_grant_type: 'The grants are `refresh_token` and `client_credentials`.',
  invalid_scope: 'The service client does not have this scope, or a person asks for one.',
  invalid_target: 'The `resource` is not an audience of this service (RFC 8707).',
  server_error: 'A fault of the service. The log has it under the id in `X-Request-Id`.',
}
