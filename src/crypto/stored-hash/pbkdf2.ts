import { pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { checkLengths, phcBase64, type StoredHash, UnreadableHashError } from './stored-hash.ts'

/** A second or two. Django 6 uses 1 200 000. */
const MAX_ITERATIONS = 5_000_000

const PHC = /^\$(pbkdf2-(sha1|sha256|sha512))\$i=(\d{1,8})\$([A-Za-z0-9+/]*)\$([A-Za-z0-9+/]+)$/

const derive = promisify(pbkdf2)

/** PBKDF2 (RFC 8018 section 5.2) with HMAC, as a PHC string. @throws {UnreadableHashError} */
export function readPbkdf2(text: string): StoredHash | null {
  const [, scheme, hash = '', i, salt64 = '', digest64 = ''] = PHC.exec(text) ?? []
  if (!scheme) return null
  const iterations = Number(i)
  const [salt, digest] = [Buffer.from(salt64, 'base64'), Buffer.from(digest64, 'base64')]
  checkLengths(salt, digest)
  if (iterations < 1 || iterations > MAX_ITERATIONS)
    throw new UnreadableHashError('A stored PBKDF2 hash asks for too much work')
  return {
    scheme,
    verify: async (password) =>
      timingSafeEqual(await derive(password, salt, iterations, digest.length, hash), digest),
  }
}

/** @param hash `sha1`, `sha256` or `sha512`. */
export function pbkdf2Phc(hash: string, iterations: string, salt: Buffer, digest: Buffer): string {
  return `$pbkdf2-${hash}$i=${iterations}$${phcBase64(salt)}$${phcBase64(digest)}`
}
