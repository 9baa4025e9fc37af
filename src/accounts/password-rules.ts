import type { dictionary } from '@zxcvbn-ts/language-common'
import { passwordRejected } from '../errors.ts'
import { atFirstUse, packageAtFirstUse } from '../platform/at-first-use.ts'

/** Code points; NIST SP 800-63B-4 section 3.1.1.2 asks for more where the password may be the only factor. */
export const PASSWORD_MIN = { required: 8, optional: 15 } as const
export const PASSWORD_MAX = 128

const words = packageAtFirstUse<{ dictionary: typeof dictionary }>('@zxcvbn-ts/language-common')
const common = atFirstUse(() => new Set<string>(words().dictionary['passwords-common']))

const GUIDANCE = 'Three or four unrelated words, or a password manager, make a good one.'

/**
 * Refuses passwords that are guessed first: common passwords (as a whole, without regard to case), the username and
 * the name of the service. It does not ask for particular kinds of characters.
 *
 * @param member the member of the body that holds the password.
 * @throws {AppError} password_rejected
 */
export type CheckPassword = (password: string, username: string, member?: 'password' | 'new_password') => void

/**
 * @param min the fewest code points, counted after NFC so that a password is judged alike from every keyboard.
 * @param serviceNames words that an attacker would try because the password belongs to this service.
 */
export function makePasswordRules({
  min,
  serviceNames,
}: {
  min: number
  serviceNames: readonly string[]
}): CheckPassword {
  const names = new Set(serviceNames.map(fold))

  return (password, username, member = 'password') => {
    const reject = (reason: string) => {
      throw passwordRejected(member, `${reason} ${GUIDANCE}`)
    }
    const normal = password.normalize('NFC')
    if ([...normal].length < min) reject(`The password is shorter than ${min} characters.`)
    const folded = fold(password)
    if (common().has(folded)) reject('The password is one of the most common ones.')
    if (folded === fold(username)) reject('The password is the username.')
    if (names.has(folded)) reject('The password is the name of this service.')
  }
}

function fold(text: string): string {
  return text.normalize('NFC').toLowerCase()
}
