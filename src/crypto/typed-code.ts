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
