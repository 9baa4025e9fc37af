import { scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { checkLengths, phcBase64, type StoredHash, UnreadableHashError } from './stored-hash.ts'

/** RFC 7914 section 2. */
export interface ScryptCost {
  /** log2 of N. */
  ln: number
  r: number
  p: number
}

const MAX_MEMORY_BYTES = 256 * 2 ** 20
/** The most N times r times p: a second or two. */
const MAX_WORK = 2 ** 22
/** The memory that OpenSSL needs in addition to the 128 × N × r bytes of the algorithm. */
const SLACK_BYTES = 8 * 2 ** 20

const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]*)\$([A-Za-z0-9+/]+)$/

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt)

/** scrypt as a PHC string. @throws {UnreadableHashError} */
export function readScrypt(text: string): StoredHash | null {
  const [, ln, r, p, salt64 = '', digest64 = ''] = PHC.exec(text) ?? []
  if (!ln) return null
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) }
  const [salt, digest] = [Buffer.from(salt64, 'base64'), Buffer.from(digest64, 'base64')]
  checkLengths(salt, digest)
  const memory = 128 * 2 ** cost.ln * cost.r
  const work = 2 ** cost.ln * cost.r * cost.p
  if (cost.ln < 1 || work < 1 || work > MAX_WORK || memory > MAX_MEMORY_BYTES)
    throw new UnreadableHashError('A stored scrypt hash asks for too much work')
  if (cost.ln >= 16 * cost.r)
    throw new UnreadableHashError('scrypt cannot run with the N and r of the stored hash')
  return {
    scheme: 'scrypt',
    async verify(password) {
      const { ln, r, p } = cost
      const options = { N: 2 ** ln, r, p, maxmem: memory + 128 * r * p + SLACK_BYTES }
      return timingSafeEqual(await derive(password, salt, digest.length, options), digest)
    },
  }
}

export function scryptPhc({ ln, r, p }: ScryptCost, salt: Buffer, digest: Buffer): string {
  return `$scrypt$ln=${ln},r=${r},p=${p}$${phcBase64(salt)}$${phcBase64(digest)}`
}
