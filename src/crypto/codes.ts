import { randomBytes, randomInt } from 'node:crypto'

/**
 * A code as it was meant, of one that a person has typed, dictated or pasted: without blanks, dashes and invisible
 * characters, and with the digits of every script turned into ASCII.
 */
export function typedCode(text: string): string {
  return text.replace(/[\s\p{Pd}\p{Cf}\u2212]/gu, '').replace(/\p{Nd}/gu, asciiDigit)
}

/** The ten digits of a script follow each other, zero first (Unicode Standard, section 4.6). */
function asciiDigit(digit: string): string {
  const point = digit.codePointAt(0) ?? 0
  let zero = point
  while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1
  return String((point - zero) % 10)
}

/** Whether a text is a code of six digits, for the format `numeric-code` of bodies. */
export const isNumericCode = (text: string) => /^\d{6}$/.test(typedCode(text))

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

/** Six digits with leading zeros. Each of the million values is equally likely. */
export function newNumericCode(): string {
  return String(randomInt(1_000_000)).padStart(6, '0')
}

/** 256 random bits as base64url: 43 characters without any meaning. */
export function newOpaqueToken(): string {
  return randomBytes(32).toString('base64url')
}
