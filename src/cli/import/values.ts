/** A value does not fit its field. The message continues after the name of the field. */
export class ValueError extends Error {
  override readonly name = 'ValueError'
}

export function readText(value: unknown): string {
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'string') throw new ValueError('it is not text')
  // Decoders leave this character where they could not decode a byte.
  if (value.includes('\u{fffd}')) throw new ValueError('it is not UTF-8')
  return value
}

/** `String` of an object can fail, and says nothing. */
export const textOf = (value: unknown): string => (typeof value === 'object' ? '' : String(value))

const TRUE = ['true', 't', 'yes', '1']
const FALSE = ['false', 'f', 'no', '0']

export function readTruth(value: unknown): boolean {
  const word = textOf(value).toLowerCase()
  if (!TRUE.includes(word) && !FALSE.includes(word)) throw new ValueError('it is neither true nor false')
  return TRUE.includes(word)
}

/** UTC+14:00 is the earliest time zone. */
const EARLIEST_ZONE_MS = 14 * 3_600_000

/** Times are UTC unless they say otherwise, as databases write them. */
const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:?\d\d)?)?$/

/** @returns epoch milliseconds. */
export function readTime(value: unknown, now: number): number {
  const [, date, time = '00:00', zone] = TIME.exec(textOf(value)) ?? []
  const written = date
    ? Date.parse(`${date}T${time}${zone ?? 'Z'}`)
    : Math.round(Number(textOf(value) || Number.NaN) * 1000)
  // Many programs write local time without saying so.
  const at = zone === undefined && written < now + EARLIEST_ZONE_MS ? Math.min(written, now) : written
  if (!Number.isFinite(at))
    throw new ValueError('it is not a time as RFC 3339 has it, nor seconds since 1970')
  if (at < 0 || at > now) throw new ValueError('it is before 1970 or still to come')
  return at
}
