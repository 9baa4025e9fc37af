import { AppError, stepUpNeeded } from '../errors.ts'

/** Challenged by what OpenID Connect calls it (EAP ACR Values 1.0): services read the claim `phr`. */
export const passkeyNeeded = () =>
  stepUpNeeded('This account has a passkey: show one for this, or a recovery code.', 'phr')

export const factorTooNew = (acr: string) =>
  stepUpNeeded(
    'This factor is younger than a day and the account has an older one. Use that one, a recovery code, or wait.',
    acr,
    { reason: 'factor_too_new' },
  )

export const noSuchFactor = () => new AppError('not_found', 'This account has no factor with that id.')

/** @param most how many an account can have. */
export const factorLimitReached = (most: number) =>
  new AppError('factor_limit_reached', `An account can have ${most} of them. Remove one that is not used.`)

/** @param reason what was wrong: `challenge`, `origin`, `user_verification`, `counter` or `credential`. */
export const passkeyRejected = (reason: string, attemptsLeft?: number) =>
  new AppError('passkey_rejected', 'The passkey was refused. Try again, or use another one.', {
    extras: { reason, ...(attemptsLeft === undefined ? {} : { attempts_left: attemptsLeft }) },
  })

/** @param reason `removed` where it was an account's once: only then a client may tell the authenticator to forget it. */
export const unknownCredential = (reason?: 'removed') =>
  new AppError('unknown_credential', 'No account has this passkey. Sign in in another way.', {
    extras: reason ? { reason } : {},
  })
