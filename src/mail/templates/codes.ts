import { texts } from '../../texts/texts.ts'
import type { Letter } from '../letter.ts'
import { type Circumstances, letterOf } from './circumstances.ts'

const { mails } = texts

type Occasion = Omit<Circumstances, 'username'>

/**
 * A code as a second factor: a person who knows the password asked for it.
 *
 * @param about its `username` is `null` where the address is not proven: the reader may have no account.
 */
export function signInCode(
  about: Occasion & { username: string | null; code: string; minutes: number },
): Letter {
  const { username, code, minutes } = about
  const letter =
    username === null
      ? letterOf(mails.first_sign_in_code, about, { minutes })
      : letterOf(mails.sign_in_code, about, { username, minutes })
  return { ...letter, code }
}

/** Proof that an address belongs to the account. Until then it may be a stranger's, so the account is not named. */
export function addressCode(about: Occasion & { code: string; minutes: number }): Letter {
  const { code, minutes } = about
  return { ...letterOf(mails.address_code, about, { minutes }), code }
}

/** The way to a new password, for a person who forgot the old one or never had one. */
export function passwordReset(about: Circumstances & { token: string; minutes: number }): Letter {
  const { username, ip, token, minutes } = about
  const text = ip ? mails.password_reset : mails.password_wanted
  return { ...letterOf(text, about, { username, minutes }), code: token }
}

/** The code with which the owner sets up a first factor after an operator has reset the account. */
export function enrolmentCode(about: Circumstances & { code: string; days: number }): Letter {
  const { username, code, days } = about
  return { ...letterOf(mails.enrolment_code, about, { username, days }), code }
}
