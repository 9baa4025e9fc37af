import type { ReadSpelling } from './spelling.ts'

/** argon2 without `v=` has version 16. */
const ARGON2_16 = /^(\$argon2(?:id|i|d))(\$m=\d.*)$/

/**
 * PHC strings and bcrypt hashes are stored as they are. PBKDF2 may give the length of its digest, which the digest
 * shows anyway.
 */
export const fromPhc: ReadSpelling = (text) => {
  const [, kind, rest] = ARGON2_16.exec(text) ?? []
  if (kind) return `${kind}$v=16${rest}`
  if (/^\$(argon2(id|i|d)\$v=|scrypt\$ln=|2[aby]\$|bcrypt-sha256\$)/.test(text))
    return text.replace(/=+$/, '')
  if (/^\$pbkdf2-sha\d+\$i=/.test(text))
    return text.replace(/^(\$[^$]+\$i=\d+),l=\d+/, '$1').replace(/=+$/, '')
  return null
}
