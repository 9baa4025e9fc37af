import { factors } from '../../factors/registry.ts'
import { Misused } from '../terminal.ts'

/**
 * An account as it is in a file: texts, numbers and booleans under the names that JSON Lines and CSV use. Nothing is
 * checked yet.
 */
export interface ImportRecord {
  /** The place in the file, for the report: `line 17`. */
  place: string
  values: Record<string, unknown>
}

/** A record, or what is wrong with a line that should be one. */
export type ReadRecord = ImportRecord | { place: string; fault: string }

/** The fields that a file may have, with those for secrets of factors. */
export const FIELDS: Readonly<Record<string, string>> = {
  id: 'a UUID, to keep the `sub` of tokens; made if it is missing',
  username: 'required',
  email: 'an address',
  email_verified: 'whether it is proven; false if it is missing',
  password_hash:
    'argon2, bcrypt, scrypt, PBKDF2 or SHA-crypt, as PHC, Werkzeug, Django, passlib, Spring or Better Auth write them',
  ...Object.assign({}, ...factors.map(({ portable }) => portable?.fields)),
  enrolment_code_required: 'whether its first factor needs an enrolment code; false if it is missing',
  disabled: 'whether the account is disabled; false if it is missing',
  roles: 'texts; in CSV one text with blanks between them',
  created_at: 'a time in RFC 3339, or seconds since 1970; now if it is missing',
}

const fieldNames = Object.keys(FIELDS)

/** How the field names of a file map to the names that this service uses. */
export interface FieldMap {
  /** From the names of this service to the names of the file. */
  map: ReadonlyMap<string, string>
  /** Names of the file that are left out. */
  ignore: ReadonlySet<string>
}

/**
 * @param pairs `ours=theirs`
 * @throws {Misused}
 */
export function readFieldMap(pairs: readonly string[], ignore: readonly string[]): FieldMap {
  const map = new Map<string, string>()
  for (const pair of pairs) {
    const [ours = '', ...theirs] = pair.split('=')
    if (!fieldNames.includes(ours) || theirs.join('=') === '')
      throw new Misused(`--map ${pair}: say <ours>=<theirs>, ours being one of ${fieldNames.join(', ')}.`)
    map.set(ours, theirs.join('='))
  }
  return { map, ignore: new Set(ignore) }
}

/** Names of the file that mean nothing here: a misspelled field must not be left out silently. */
export function unknownNames(names: readonly string[], { map, ignore }: FieldMap): string[] {
  const theirs = new Set(map.values())
  return names.filter(
    (name) => !theirs.has(name) && !ignore.has(name) && !(fieldNames.includes(name) && !map.has(name)),
  )
}

export function mapped(row: Readonly<Record<string, unknown>>, { map }: FieldMap): ImportRecord['values'] {
  const values: ImportRecord['values'] = {}
  for (const name of fieldNames) {
    const theirs = map.get(name) ?? name
    if (Object.hasOwn(row, theirs)) values[name] = row[theirs]
  }
  return values
}

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
