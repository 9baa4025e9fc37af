import type { Letter } from '../letter.ts'
import { type Circumstances, factsOf, greet } from './circumstances.ts'

const IF_MISTYPED =
  'If you did not ask for it, somebody has mistyped their address. Without the code nothing happens: you need not do anything.'

type Occasion = Omit<Circumstances, 'username'>

/**
 * A code as a second factor: a person who knows the password asked for it.
 *
 * @param about its `username` is `null` where the address is not proven: the reader may have no account.
 */
export function signInCode(
  about: Occasion & { username: string | null; code: string; minutes: number },
): Letter {
  return {
    subject: 'your sign-in code',
    paragraphs: [
      greet(about.username),
      `Here is the code that signs you in. It is good once, for ${about.minutes} minutes:`,
    ],
    code: about.code,
    facts: factsOf(about),
    closing:
      about.username === null
        ? `${IF_MISTYPED} Do not give this code to anyone; we will never ask you for it.`
        : 'If you are not signing in, somebody else knows your password: change it. Do not give this code to anyone; we will never ask you for it.',
  }
}

/** Proof that an address belongs to the account. Until then it may be a stranger's, so the account is not named. */
export function addressCode(about: Occasion & { code: string; minutes: number }): Letter {
  return {
    subject: 'confirm your address',
    paragraphs: [
      greet(null),
      `Here is the code that confirms this address for your account. It is good once, for ${about.minutes} minutes:`,
    ],
    code: about.code,
    facts: factsOf(about),
    closing: IF_MISTYPED,
  }
}

/** The way to a new password, for a person who forgot the old one or never had one. */
export function passwordReset(about: Circumstances & { token: string; minutes: number }): Letter {
  return {
    subject: 'reset your password',
    paragraphs: [
      greet(about.username),
      about.ip
        ? `Somebody, probably you, forgot your password. This token sets a new one. It is good once, for ${about.minutes} minutes:`
        : `The people who run this service ask you to set a new password. This token does it, once, within ${about.minutes} minutes:`,
    ],
    code: about.token,
    facts: factsOf(about),
    closing: about.ip
      ? 'If it was not you, do nothing, and pass the token on to nobody: without it your password stays as it is.'
      : 'Pass the token on to nobody, not to those who run the service either: they will never ask you for it.',
  }
}

/** The code with which the owner sets up a first factor after an operator has reset the account. */
export function enrolmentCode(about: Circumstances & { code: string; days: number }): Letter {
  return {
    subject: 'your enrolment code',
    paragraphs: [
      `Hello ${about.username},`,
      `The people who run this service have reset your second factor. Sign in with your password, and set up an authenticator with this code, within ${about.days} days:`,
    ],
    code: about.code,
    facts: factsOf(about),
    closing:
      'Do not give this code to anyone. If you did not ask for it, tell the people who run this service.',
  }
}
