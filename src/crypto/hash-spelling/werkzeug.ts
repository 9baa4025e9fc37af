import { pbkdf2Phc } from '../stored-hash/pbkdf2.ts'
import { scryptPhc } from '../stored-hash/scrypt.ts'
import type { ReadSpelling } from './spelling.ts'

const SCRYPT = /^scrypt:(\d{1,10}):(\d{1,3}):(\d{1,3})\$([^$]+)\$([0-9a-f]+)$/i
const PBKDF2 = /^pbkdf2:(sha1|sha256|sha512):(\d{1,8})\$([^$]+)\$([0-9a-f]+)$/i

/** `werkzeug.security.generate_password_hash`: the salt is text, the digest hexadecimal. */
export const fromWerkzeug: ReadSpelling = (text) => {
  const [, n, r, p, scryptSalt = '', scryptDigest = ''] = SCRYPT.exec(text) ?? []
  if (n) {
    const cost = { ln: Math.log2(Number(n)), r: Number(r), p: Number(p) }
    return scryptPhc(cost, Buffer.from(scryptSalt), Buffer.from(scryptDigest, 'hex'))
  }
  const [, hash, iterations = '', salt = '', digest = ''] = PBKDF2.exec(text) ?? []
  return hash
    ? pbkdf2Phc(hash.toLowerCase(), iterations, Buffer.from(salt), Buffer.from(digest, 'hex'))
    : null
}
