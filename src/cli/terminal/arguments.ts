import { InvalidArgumentError } from 'commander'

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * Reads `30m`, `2h`, `7d` as a time that long ago, or a date or time of RFC 3339.
 *
 * @returns epoch milliseconds.
 */
export function pointInTime(now: () => number): (text: string) => number {
  return (text) => {
    const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
    if (unit) return now() - Number(count) * UNITS[unit as keyof typeof UNITS]
    const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
    if (!Number.isNaN(time)) return time
    throw new InvalidArgumentError('It must be like 30m, 2h, 7d or 2026-11-21T09:30:00Z.')
  }
}

/** Reads a whole number within bounds from the command line. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= min && number <= max) return number
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
  }
}
