import { pbkdf2Phc } from '../stored-hash/pbkdf2.ts'
import type { ReadSpelling } from './spelling.ts'

/** SHA-1 when it names no hash. Its base64 has a dot in place of the plus. */
const PBKDF2 = /^\$pbkdf2(?:-(sha256|sha512))?\$(\d{1,8})\$([A-Za-z0-9./]*)\$([A-Za-z0-9./]+)$/

/** The forms of `passlib.hash` that differ from PHC strings. */
export const fromPasslib: ReadSpelling = (text) => {
  const [, hash = 'sha1', iterations, salt = '', digest = ''] = PBKDF2.exec(text) ?? []
  return iterations ? pbkdf2Phc(hash, iterations, bytes(salt), bytes(digest)) : null
}

function bytes(base64: string): Buffer {
  return Buffer.from(base64.replaceAll('.', '+'), 'base64')
}
