import { AppError } from '../errors.ts'
import { MailError } from '../platform/mail-error.ts'
import { texts } from '../texts/texts.ts'

const { details } = texts

export const emailUnavailable = () => new AppError('email_unavailable', details.emailUnavailable)

/** For people who are signed out: it names no account. */
export const noResetByMail = () => new AppError('email_unavailable', details.noResetByMail)

export const addressNotProven = () => new AppError('email_unavailable', details.addressNotProven)

/** The mailbox must not become the only factor of an account that would have no recovery codes. */
export const mailboxAlone = () => new AppError('email_unavailable', details.mailboxAlone)

/** @param coolDown seconds until the next mail may be requested, which a mail that may have arrived begins. */
export const emailDeliveryFailed = (cause: unknown, coolDown = 0) =>
  cause instanceof MailError && cause.final
    ? new AppError('email_delivery_failed', details.emailRefused, { extras: { reason: 'refused' }, cause })
    : new AppError('email_delivery_failed', details.emailDeliveryFailed, {
        retryAfter: Math.max(coolDown, 5),
        cause,
      })

/** @param retryAfter whole seconds until the next mail may be requested. */
export const mailedTooOften = (retryAfter: number) =>
  new AppError('rate_limited', details.mailedTooOften(retryAfter), {
    retryAfter,
  })
