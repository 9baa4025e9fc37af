import type { ProblemCode } from '../../catalogue.ts'

/** What each code means and what a client does about it: for the page of problems and the documents. */
export const meanings: Record<ProblemCode, string> = {
  validation_failed:
    'A member of the body is missing, unknown or wrong. `errors` lists each fault with its place, a code and a sentence for the form.',
  malformed_json:
    'The body cannot be read as JSON, has a member twice, or is nested more than 32 levels deep. Fix the client.',
  bad_request:
    'The request is not valid HTTP (RFC 9112), or it does not have exactly one `Host` header. Fix the client or the proxy.',
  invalid_credentials:
    'No account has this username, the password is wrong, or an operator has disabled the account. Clients cannot tell which.',
  invalid_token:
    'The token is missing, altered, expired, used, or of another kind, or its session has ended. `reason` says which, if that is safe. For an access token: refresh. For an mfa token: start the sign-in again.',
  unknown_credential:
    'No account has this passkey. With `reason: removed`, it was removed here, and the app can tell the authenticator to forget it.',
  invalid_refresh_token:
    'The refresh token is unknown, expired or used, or its session has ended. Sign in again.',
  insufficient_user_authentication:
    'The route needs an account token, or a session with a stronger factor. Call `POST /2fa/step-up`, or sign in again (RFC 9470).',
  insufficient_scope:
    'The service client does not have the scope. An operator can grant it with `keyturn clients`.',
  two_factor_required:
    'This service requires a second factor for everyone. The last one can be replaced but not removed.',
  enrolment_code_required:
    'An operator has reset, created or imported the account. To set up its first factor, send the enrolment code that the operator handed out.',
  registration_closed: 'Only an operator can create accounts.',
  not_found: 'The path does not exist, or the account has no such session or factor.',
  method_not_allowed: 'The path does not support this method. `Allow` lists the methods that it supports.',
  not_acceptable: 'The route cannot answer in any media type that `Accept` lists.',
  request_timeout: 'The request did not arrive within ten seconds. Send it again.',
  username_taken:
    'Another account has this username, possibly with different upper and lower case, or the username is reserved.',
  already_enrolled:
    'The account has a second factor. Sign in with it, and add another with an account token.',
  factor_limit_reached: 'An account can have 5 authenticators and 20 passkeys. Remove one first.',
  not_enrolled: 'No authenticator is being set up. Begin with `POST /2fa/setup`.',
  email_unavailable:
    'The service does not send this kind of mail, the account has no proven address, or its owner has not switched on codes by mail.',
  payload_too_large: 'A body can have at most 16 KiB.',
  unsupported_media_type: 'Send JSON as `application/json`, without a content encoding.',
  invalid_code:
    'The code is wrong, expired or used. Clients cannot tell which. `attempts_left` is the number of attempts that this sign-in has left. Compare `server_time` to find a clock that is wrong.',
  passkey_rejected:
    'The answer of the authenticator was not accepted. `reason` says why: `challenge`, `origin`, `user_verification`, `counter` or `credential`.',
  recovery_code_required:
    'Mail is the only second factor of this account, and the reset token came by mail too. Send a recovery code as well.',
  password_rejected:
    '`reasons` says why: `too_short` (with `min`), `common`, `is_username` or `is_service_name`. Ask for another password.',
  rate_limited:
    'Too many requests from one address or service client, or too many mails. Wait for `retry_after` seconds.',
  too_many_attempts:
    'Too many wrong answers for this account. Wait for `retry_after` seconds, or sign in with a recovery code or a passkey.',
  headers_too_large: 'The request line and the header fields are too long together.',
  internal_error: 'A bug or fault in the service. Find it in the log by `request_id`.',
  email_delivery_failed:
    'The mail server did not accept the mail. Try again, or use another factor. With `reason: refused`, it accepts no mail for this address.',
  overloaded: 'Too many passwords are being checked. Wait for `retry_after` seconds.',
  unavailable:
    'The database or another part of the service does not answer, or the process is about to end. Wait for `retry_after` seconds.',
  invalid_request: 'A parameter of the form is missing, repeated or wrong.',
  invalid_client:
    'The service client is unknown or disabled, or its secret is wrong. Clients cannot tell which.',
  invalid_grant: 'The refresh token is unknown, expired or used, or its session has ended. Sign in again.',
  unauthorized_client: 'Service clients cannot use refresh tokens. Only people can.',
  unsupported_grant_type: 'The supported grants are `refresh_token` and `client_credentials`.',
  invalid_scope:
    'The service client does not have this scope, or the request is for a person, who cannot have a scope.',
  invalid_target: 'The `resource` is not an audience of this service (RFC 8707).',
  server_error: 'A bug or fault in the service. Find it in the log by the id in `X-Request-Id`.',
}
