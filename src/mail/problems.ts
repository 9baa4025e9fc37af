import { AppError } from '../errors.ts'
import { MailError } from '../platform/mail-error.ts'

export const emailUnavailable = () =>
  new AppError(
    'email_unavailable',
    'This service sends no codes by email, the account has no address for them, or its owner has not switched them on.',
  )

/** For people who are signed out: it names no account. */
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

export const emailDeliveryFailed = (cause: unknown) =>
  cause instanceof MailError && cause.final
    ? new AppError(
        'email_delivery_failed',
        'The mail server takes no mail for this address. Look whether it is right.',
        { extras: { reason: 'refused' }, cause },
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
