import type { Letter } from '../letter.ts'
import { type Circumstances, factsOf } from './circumstances.ts'

/** A second factor: somebody who knows the password asked for it. */
export function signInCode(about: Circumstances & { code: string; minutes: number }): Letter {
  return {
    subject: 'your sign-in code',
    paragraphs: [
      `Hello ${about.username},`,
      `Here is the code that signs you in. It is good once, for ${about.minutes} minutes:`,
    ],
    code: about.code,
    facts: factsOf(about),
    closing:
      'If you are not signing in, somebody else knows your password: change it. Tell nobody this code; we will never ask you for it.',
  }
}

/** Proof that an address belongs to the account. */
export function addressCode(about: Circumstances & { code: string; minutes: number }): Letter {
  return {
    subject: 'confirm your address',
    paragraphs: [
      `Hello ${about.username},`,
      `Here is the code that confirms this address for your account. It is good once, for ${about.minutes} minutes:`,
    ],
    code: about.code,
    facts: factsOf(about),
    closing:
      'If you did not ask for it, somebody has mistyped their address. Without the code nothing happens: you need not do anything.',
  }
}

/** A new password for somebody who forgot the old one, or was given none. */
export function passwordReset(about: Circumstances & { token: string; minutes: number }): Letter {
  return {
    subject: 'reset your password',
    paragraphs: [
      `Hello ${about.username},`,
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
