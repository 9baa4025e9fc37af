import { randomInt } from 'node:crypto'

/** Six digits, each of a million values as likely as any other, leading zeros kept. */
export function newNumericCode(): string {
  return String(randomInt(1_000_000)).padStart(6, '0')
}

/** As people type it. */
export function normalizeNumericCode(text: string): string {
  return text.replace(/[\s-]/g, '')
}
