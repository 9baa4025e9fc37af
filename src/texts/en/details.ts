import type { TokenFault } from '../../catalogue.ts'

/** Why a token is not taken. The last stands for a missing or altered one too, which a form cannot cause. */
export const tokenFaults: Record<TokenFault, string> = {
  expired: 'This sign-in has expired. Sign in again.',
  used: 'This sign-in has already been used. Sign in again.',
  ended: 'You were signed out. Sign in again.',
  wrong_kind: 'The token is missing, expired, used up, or not meant for this route.',
}

/** @param seconds whole ones. */
function inTime(seconds: number): string {
  const [count, unit] =
    seconds < 120
      ? [seconds, 'second']
      : seconds < 7200
        ? [Math.ceil(seconds / 60), 'minute']
        : [Math.ceil(seconds / 3600), 'hour']
  return `in ${count} ${unit}${count === 1 ? '' : 's'}`
}

/**
 * What is wrong this time, and what to do about it, under the name of the function that makes the problem. An end user
 * can read every one that a form can cause; the rest are for those who write the client.
 */
export const details = {
  invalidCredentials: 'The username or the password is wrong.',
  invalidRefreshToken: 'This sign-in has ended. Sign in again.',
  insufficientUserAuthentication:
    'Confirm that it is you first: enter your password and your second factor once more, or sign in again.',
  passkeyNeeded: 'Confirm that it is you with your passkey, or with a recovery code.',
  factorTooNew:
    'This second factor was added less than a day ago. Use an older one or a recovery code, or wait until it is a day old.',
  tooManyStepUps: 'Too many failed attempts. Sign in again.',
  enrolmentCodeRequired:
    'To set up the first factor of this account, enter the enrolment code that the administrator gave you.',
  registrationClosed: 'Registration is closed. Ask the administrator for an account.',
  noSuchSession: 'There is no such session. It may have ended already.',
  noSuchFactor: 'There is no such factor. It may have been removed already.',
  usernameTaken: 'This username is taken (upper and lower case count as the same). Choose another one.',
  usernameReserved: 'This username is reserved for administrators. Choose another one.',
  alreadyEnrolled: 'This account already has a second factor. Sign in with it, and then you can replace it.',
  notEnrolled: 'No authenticator is being set up for this account. Begin again.',
  twoFactorRequired: 'This service requires a second factor. You can replace it but not remove it.',
  recoveryCodeRequired:
    'This mailbox is your only second factor, and the reset token came to the same mailbox. Enter a recovery code as well.',
  invalidCode: 'The code is wrong, expired or used. Check what you typed.',
  invalidAppCode: 'The code is wrong, expired or used. Try the next one, and check the clock of your device.',
  factorLimitReached: (most: number) =>
    `An account can have at most ${most} of these. Remove one that you do not use.`,
  passkeyRejected: 'The passkey was refused. Try again, or use another one.',
  unknownCredential: 'No account has this passkey. Sign in another way.',

  emailUnavailable:
    'Codes by email are not available. This service does not send them, your account has no confirmed address, or you have not switched them on.',
  noResetByMail: 'This service sends no mail. Ask the administrator for a new password.',
  addressNotProven: 'Confirm your email address first. Codes are sent only to a confirmed address.',
  mailboxAlone: 'Set up another second factor first, such as an authenticator app or a passkey.',
  emailRefused: 'The mail server does not accept mail for this address. Check that it is correct.',
  emailDeliveryFailed: 'The mail server did not accept the mail. Try again in a moment.',
  mailedTooOften: (seconds: number) =>
    `A mail was sent a moment ago. You can ask for another one ${inTime(seconds)}.`,

  rateLimited: (seconds: number) => `Too many requests from this address. Try again ${inTime(seconds)}.`,
  renewedTooOften: (seconds: number) =>
    `Recovery codes were renewed too often. The last ones stay valid. Try again ${inTime(seconds)}.`,
  refreshedTooOften: (seconds: number) =>
    `This session was refreshed too often. Try again ${inTime(seconds)}.`,
  tooManyAttempts: (seconds: number) => `Too many failed attempts. Try again ${inTime(seconds)}.`,
  overloaded: (seconds: number) => `Too many people are signing in right now. Try again ${inTime(seconds)}.`,
  unavailable: 'A part of the service is not responding. Try again in a moment.',
  stopping: 'This process is about to end. Try again in a moment.',
  internalError: 'Something went wrong. The administrator can look up the reason by the request_id.',

  // No form can cause these.
  databaseStoresNothing: (words: string) => `The database stores nothing: ${words}.`,
  formNotFilledIn: 'The form is not filled in correctly.',
  noBodyHere: 'This route does not accept a body.',
  bodyTooLarge: 'The body is larger than 16 KiB.',
  bodyOfOtherLength: 'The length of the body does not match Content-Length.',
  bodyEmpty: 'The body is empty.',
  bodyNotJson: 'The body is not well-formed JSON.',
  bodyNotUtf8: 'The body is not well-formed UTF-8.',
  bodyEncoded: 'Send the body without a Content-Encoding.',
  unpairedSurrogate: 'A string has an unpaired surrogate.',
  memberTwice: 'The body contains the same member twice.',
  bodyTooDeep: (levels: number) => `The body is nested more than ${levels} levels deep.`,
  unsupportedMediaType: (types: string) => `Send the body as ${types}.`,
  notHttp: 'The request could not be read as HTTP.',
  hostTwice: 'Send one Host header.',
  notFound: 'No route has this path.',
  methodNotAllowed: (allow: string) => `This path takes ${allow}.`,
  notAcceptable: (offered: string) => `This route can answer with ${offered}.`,
  insufficientScope: (scope: string) => `This needs a service client with the scope ${scope}.`,

  invalidClient: 'The client is unknown, disabled, or its secret is wrong.',
  credentialsTwice: 'Send the client credentials in one way only.',
  parameterTwice: 'The form contains the same parameter twice.',
  formNotUtf8: 'The form is not well-formed UTF-8.',
  noSuchGrant: 'The grant_type must be refresh_token or client_credentials.',
  noSuchAudience: 'The resource is not an audience of this service.',
  grantForPeople: 'A service client cannot use refresh tokens.',
  noScopeForPeople: 'A person cannot ask for a scope.',
  refreshTokenMissing: 'The refresh_token is missing.',
  scopeNotGiven: 'The client does not have this scope.',
}
