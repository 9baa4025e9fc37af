import type { Letter } from '../letter.ts'
import { type Circumstances, letterOf } from './circumstances.ts'

type Occasion = Omit<Circumstances, 'username'>

/**
 * A code as a second factor: a person who knows the password asked for it.
 *
 * @param username `null` where the address is not proven: the reader may have no account.
 */
export function signInCode({
  username,
  ...about
}: Occasion & { username: string | null; code: string; minutes: number }): Letter {
  return username === null
    ? letterOf('first_sign_in_code', about)
    : letterOf('sign_in_code', { ...about, username })
}

/**
 * Proof that an address belongs to the account. Until then it may be a stranger's, so the account is not named.
 *
 * @param link does the same as the code.
 */
export const addressCode = ({
  link,
  ...about
}: Occasion & { code: string; link?: string | undefined; minutes: number }): Letter =>
  link === undefined ? letterOf('address_code', about) : letterOf('address_link', { ...about, link })

/**
 * The way to a new password, for a person who forgot the old one or never had one.
 *
 * @param link has the token in it, and takes its place.
 */
export function passwordReset({
  token,
  link,
  ...about
}: Circumstances & { token: string; link?: string | undefined; minutes: number }): Letter {
  const occasion = about.ip ? 'password_forgotten' : 'password_wanted'
  return link === undefined
    ? letterOf(occasion, { ...about, code: token })
    : letterOf(`${occasion}_link`, { ...about, link })
}

/** The code with which the owner sets up a first factor after an operator has reset the account. */
export const enrolmentCode = (about: Circumstances & { code: string; days: number }): Letter =>
  letterOf('enrolment_code', { ...about })
