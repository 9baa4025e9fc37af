import { randomBytes } from 'node:crypto'
import { typedCode } from './typed-code.ts'

/** Crockford's base32: without I, L, O and U, so that no character is mistaken for 1, 0 or V. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** @returns random characters of five bits each, in groups of four: `7QKM-2X9T-…`. */
export function newLetterCode(characters: number): string {
  const code = Array.from(randomBytes(characters), (byte) => ALPHABET[byte % 32]).join('')
  return code.replace(/.{4}(?=.)/g, '$&-')
}

/** Ignores case and what people type between the letters, and reads O as 0, I and L as 1. */
export function normalizeLetterCode(text: string): string {
  return typedCode(text).toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1')
}
