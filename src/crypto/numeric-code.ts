import { randomInt } from 'node:crypto'

/** Six digits with leading zeros. Each of the million values is equally likely. */
export function newNumericCode(): string {
  return String(randomInt(1_000_000)).padStart(6, '0')
}
