import { dictionary } from '@zxcvbn-ts/language-common'
import { passwordRejected } from '../errors.ts'

/** Code points; NIST SP 800-63B-4 section 3.1.1.2 asks for more where the password may be the only factor. */
export const PASSWORD_MIN = { required: 8, optional: 15 } as const
export const PASSWORD_MAX = 128

const GUIDANCE = 'Three or four unrelated words, or a password manager, make a good one.'

/**
 * Refuses what is guessed first: common passwords (as a whole, without regard to case), the username and the
 * service's own name. Nothing is asked of the kinds of characters.
 */
export type CheckPassword = (password: string, username: string) => void

/**
 * @param min the fewest code points, counted after NFC so that one password is judged alike from every keyboard.
 * @param serviceNames words an attacker would try because of where the password is for.
 */
export function makePasswordRules({
  min,
  serviceNames,
}: {
  min: number
  serviceNames: readonly string[]
}): CheckPassword {
  const common = new Set<string>(dictionary['passwords-common'])
  const names = new Set(serviceNames.map(fold))

  return (password, username) => {
    const normal = password.normalize('NFC')
    if ([...normal].length < min)
      throw passwordRejected(`The password is shorter than ${min} characters. ${GUIDANCE}`)
    const folded = fold(password)
    if (common.has(folded)) throw passwordRejected(`The password is one of the most common ones. ${GUIDANCE}`)
    if (folded === fold(username)) throw passwordRejected(`The password is the username. ${GUIDANCE}`)
    if (names.has(folded)) throw passwordRejected(`The password is the name of this service. ${GUIDANCE}`)
  }
}

function fold(text: string): string {
  return text.normalize('NFC').toLowerCase()
}
