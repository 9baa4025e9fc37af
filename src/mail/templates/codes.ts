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

/**
 * Proof that an address belongs to the account. Until then it may be a stranger's, so the account is not named.
 *
 * @param about.link does the same as the code.
 */
export function addressCode(
  about: Occasion & { code: string; link?: string | undefined; minutes: number },
): Letter {
  const { code, link, minutes } = about
  if (link === undefined) return { ...letterOf(mails.address_code, about, { minutes }), code }
  const { address_link: text } = mails
  return { ...letterOf(text, about, { minutes }), link: { url: link, button: text.button }, code }
}

/**
 * The way to a new password, for a person who forgot the old one or never had one.
 *
 * @param about.link has the token in it, and takes its place.
 */
export function passwordReset(
  about: Circumstances & { token: string; link?: string | undefined; minutes: number },
): Letter {
  const { username, ip, token, link, minutes } = about
  const text = ip ? mails.password_reset : mails.password_wanted
  const way = link === undefined ? { code: token } : { link: { url: link, button: text.button } }
  return { ...letterOf(text, about, { username, minutes }), ...way }
}

/** The code with which the owner sets up a first factor after an operator has reset the account. */
export function enrolmentCode(about: Circumstances & { code: string; days: number }): Letter {
  const { username, code, days } = about
  return { ...letterOf(mails.enrolment_code, about, { username, days }), code }
}
