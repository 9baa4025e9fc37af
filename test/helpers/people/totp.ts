import { createHmac } from 'node:crypto'

/** RFC 4226 section 5.3 with SHA-1 and six digits: written apart from the library that the product uses. */
export function hotp(secret: Buffer, counter: number, digits = 6): string {
  const moving = Buffer.alloc(8)
  moving.writeBigUInt64BE(BigInt(counter))
  const mac = createHmac('sha1', secret).update(moving).digest()
  const offset = (mac[19] as number) & 0x0f
  const number = (mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** digits
  return String(number).padStart(digits, '0')
}

/** The code an authenticator shows at a time in epoch milliseconds (RFC 6238 section 4). */
export function totp(base32Secret: string, at: number, digits = 6): string {
  return hotp(decodeBase32(base32Secret), Math.floor(at / 30_000), digits)
}

/** RFC 4648 section 6, without padding. */
export function decodeBase32(text: string): Buffer {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...text].map((character) => alphabet.indexOf(character).toString(2).padStart(5, '0')).join('')
  return Buffer.from(bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? [])
}
