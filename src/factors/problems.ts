import { AppError, stepUpNeeded } from '../errors.ts'
import { texts } from '../texts/texts.ts'

const { details } = texts

/** Challenged by what OpenID Connect calls it (EAP ACR Values 1.0): services read the claim `phr`. */
export const passkeyNeeded = () => stepUpNeeded(details.passkeyNeeded, 'phr')

export const factorTooNew = (acr: string) =>
  stepUpNeeded(details.factorTooNew, acr, { reason: 'factor_too_new' })

export const noSuchFactor = () => new AppError('not_found', details.noSuchFactor)

/** @param most how many an account can have. */
export const factorLimitReached = (most: number) =>
  new AppError('factor_limit_reached', details.factorLimitReached(most))

/** @param reason what was wrong: `challenge`, `origin`, `user_verification`, `counter` or `credential`. */
export const passkeyRejected = (reason: string, attemptsLeft?: number) =>
  new AppError('passkey_rejected', details.passkeyRejected, {
    extras: { reason, ...(attemptsLeft === undefined ? {} : { attempts_left: attemptsLeft }) },
  })

/** @param reason `removed` where it was an account's once: only then a client may tell the authenticator to forget it. */
export const unknownCredential = (reason?: 'removed') =>
  new AppError('unknown_credential', details.unknownCredential, {
    extras: reason ? { reason } : {},
  })
