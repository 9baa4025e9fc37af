import { pbkdf2Phc } from '../stored-hash/pbkdf2.ts'
import { scryptPhc } from '../stored-hash/scrypt.ts'
import type { ReadSpelling } from './spelling.ts'

const PBKDF2 = /^pbkdf2_(sha1|sha256)\$(\d{1,8})\$([^$]+)\$([A-Za-z0-9+/]+={0,2})$/
const SCRYPT = /^scrypt\$(\d{1,10})\$([^$]+)\$(\d{1,3})\$(\d{1,3})\$([A-Za-z0-9+/]+={0,2})$/
const ARGON2 = /^argon2(\$argon2(?:id|i|d)\$.+)$/
const BCRYPT = /^bcrypt\$(\$2[aby]\$.+)$/
/** Django hashes the password first, because bcrypt cuts off long ones. No other spelling has this form. */
const BCRYPT_SHA256 = /^bcrypt_sha256\$\$2[aby]\$.+$/

/** `django.contrib.auth.hashers`: the salt is text, the digest base64. */
export const fromDjango: ReadSpelling = (text) => {
  const [, hash, iterations = '', salt = '', digest = ''] = PBKDF2.exec(text) ?? []
  if (hash) return pbkdf2Phc(hash, iterations, Buffer.from(salt), Buffer.from(digest, 'base64'))

  const [, n, scryptSalt = '', r, p, scryptDigest = ''] = SCRYPT.exec(text) ?? []
  if (n) {
    const cost = { ln: Math.log2(Number(n)), r: Number(r), p: Number(p) }
    return scryptPhc(cost, Buffer.from(scryptSalt), Buffer.from(scryptDigest, 'base64'))
  }
  if (BCRYPT_SHA256.test(text)) return text
  return (ARGON2.exec(text) ?? BCRYPT.exec(text))?.[1] ?? null
}
