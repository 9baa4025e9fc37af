import type { Letter } from '../letter.ts'

/** A second factor: somebody who knows the password asked for it. */
export function signInCode({
  username,
  code,
  minutes,
}: {
  username: string
  code: string
  minutes: number
}): Letter {
  return {
    subject: 'your sign-in code',
    paragraphs: [`Hello ${username},`, `this code signs you in. It is good once, for ${minutes} minutes:`],
    code,
    closing:
      'If you did not just sign in, somebody knows your password: change it. Nobody from us will ever ask you for this code.',
  }
}

/** Proof that an address belongs to the account. */
export function addressCode({
  username,
  code,
  minutes,
}: {
  username: string
  code: string
  minutes: number
}): Letter {
  return {
    subject: 'confirm your address',
    paragraphs: [
      `Hello ${username},`,
      `this code confirms that you want to use this address. It is good once, for ${minutes} minutes:`,
    ],
    code,
    closing: 'If you did not ask for it, somebody has mistyped their address: you need not do anything.',
  }
}

/** A new password for somebody who forgot the old one. */
export function passwordReset({
  username,
  token,
  minutes,
}: {
  username: string
  token: string
  minutes: number
}): Letter {
  return {
    subject: 'reset your password',
    paragraphs: [
      `Hello ${username},`,
      `somebody, probably you, asked for a new password. This token sets one. It is good once, for ${minutes} minutes:`,
    ],
    code: token,
    closing:
      'If it was not you, do nothing: without this token your password stays as it is. Your second factor is asked for in any case.',
  }
}
