import type { dictionary } from '@zxcvbn-ts/language-common'
import { type PasswordFault, passwordRejected } from '../errors.ts'

import { atFirstUse, packageAtFirstUse } from '../platform/packages.ts'
import { texts } from '../texts/texts.ts'

/** Code points; NIST SP 800-63B-4 section 3.1.1.2 asks for more where the password may be the only factor. */
export const PASSWORD_MIN = { required: 8, optional: 15 } as const
export const PASSWORD_MAX = 128

const words = packageAtFirstUse<{ dictionary: typeof dictionary }>('@zxcvbn-ts/language-common')
const common = atFirstUse(() => new Set<string>(words().dictionary['passwords-common']))

/**
 * Refuses passwords that are guessed first: common passwords (as a whole, without regard to case), the username and
 * the name of the service. It does not ask for particular kinds of characters.
 *
 * @throws {AppError} password_rejected, with all its reasons.
 */
export type CheckPassword = (password: string, username: string) => void

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

  return (password, username) => {
    const folded = fold(password)
    const faults: [PasswordFault, boolean][] = [
      ['too_short', [...password.normalize('NFC')].length < min],
      ['common', common().has(folded)],
      ['is_username', folded === fold(username)],
      ['is_service_name', names.has(folded)],
    ]
    const reasons = faults.flatMap(([reason, applies]) => (applies ? [reason] : []))
    const [first] = reasons
    if (first)
      throw passwordRejected(reasons, `${texts.passwordFaults[first](min)} ${texts.passwordGuidance}`, min)
  }
}

function fold(text: string): string {
  return text.normalize('NFC').toLowerCase()
}
