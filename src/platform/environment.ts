import { readFileSync, statSync } from 'node:fs'

const READ_BY_ALL = 0o004

/** Where containers get their secrets, in a file system of their own. */
const SECRETS_OF_CONTAINERS = '/run/secrets/'

/** Windows and some desktops set this one to who is signed in. */
const isForeign = (name: string, value = '') => name === 'USERNAME' && !/^(any|plain)$/.test(value)

/**
 * Reads variables of the environment.
 *
 * @param faults gets a sentence for each value that it does not take.
 * @param warnings gets what may be on purpose.
 */
export type Reader = ReturnType<typeof makeReader>

/** An empty variable counts as not set, as in a `.env` file with blanks to fill in. */
export function makeReader(environment: NodeJS.ProcessEnv, faults: string[], warnings: string[]) {
  const known = new Set<string>()
  const plain = (name: string) => {
    known.add(name)
    return environment[name]?.trim() ?? ''
  }

  function text(name: string, fallback: string): string {
    const value = plain(name)
    if (!/^(["']).*\1$/s.test(value)) return value || fallback
    faults.push(`${name} begins and ends with a quote, which is a part of its value here: take both away`)
    return fallback
  }

  function choice<const T extends string>(name: string, choices: readonly T[], fallback: NoInfer<T>): T {
    const value = text(name, fallback)
    const found = choices.find((choice) => choice === value)
    if (found === undefined) faults.push(`${name} must be ${choices.join(' or ')}, not "${value}"`)
    return found ?? fallback
  }

  return {
    text,
    choice,

    /**
     * A value that may also stand in a file, whose path `<name>_FILE` has. `''` when there is none, `null` when it could
     * not be read.
     */
    secret(name: string): string | null {
      const direct = text(name, '')
      const path = text(`${name}_FILE`, '')
      if (!path) return direct
      if (direct) faults.push(`${name} and ${name}_FILE are both set: give one`)
      try {
        const value = readFileSync(path, 'utf8')
          .replace(/^\ufeff/, '')
          .trim()
        if (statSync(path).mode & READ_BY_ALL && !path.startsWith(SECRETS_OF_CONTAINERS))
          warnings.push(
            `${name}_FILE names ${path}, which everybody on this machine can read: chmod 600 ${path}`,
          )
        if (value) return value
        faults.push(`${name}_FILE names ${path}, which is empty`)
      } catch (error) {
        // Its message repeats what was given, which may be the secret itself.
        faults.push(`${name}_FILE cannot be read: ${(error as NodeJS.ErrnoException).code}`)
      }
      return null
    },

    /**
     * To be called when everything is read: names that are not ours and were meant to be are faults, since what they say
     * would be left undone; variables without a value, whose defaults hold, are said.
     */
    finish(): void {
      const names = Object.keys(environment).filter((name) => !isForeign(name, environment[name]))
      // A secret that stands in a file, or the other way round, leaves nothing undone.
      const isSet = (meant: string) => {
        const direct = meant.replace(/_FILE$/, '')
        return [direct, `${direct}_FILE`].some((one) => environment[one]?.trim())
      }
      for (const [name, meant] of misspelt(names, [...known]))
        if (!isSet(meant))
          faults.push(
            `${name} is no setting: ${meant} is meant? Rename it, or set ${meant} if it is another's`,
          )
      const empty = [...known].filter((name) => environment[name] !== undefined && plain(name) === '')
      if (empty.length > 0)
        warnings.push(
          `Settings without a value count as not set, and their defaults hold: ${empty.join(', ')}`,
        )
    },

    onOff: (name: string, fallback: boolean) => choice(name, ['on', 'off'], fallback ? 'on' : 'off') === 'on',
    integer(name: string, fallback: number, min: number, max: number): number {
      const value = text(name, String(fallback))
      const number = Number(value)
      if (/^\d+$/.test(value) && number >= min && number <= max) return number
      faults.push(`${name} must be a whole number from ${min} to ${max}, not "${value}"`)
      return fallback
    },
    /** The parts between the commas; none when the variable is not set. */
    list: (name: string): string[] =>
      text(name, '')
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    url(name: string, fallback: string): string {
      const value = text(name, fallback)
      const url = URL.parse(value)
      const plain = url && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username
      if (!plain) faults.push(`${name} must be an http or https URL without user, query or fragment`)
      // Parsers pass over it; tokens would have it.
      else if (/[\s\p{Cf}]/u.test(value))
        faults.push(`${name} has a blank or a character that cannot be seen: type it again`)
      return value.replace(/\/$/, '')
    },
  }
}

/**
 * Unknown names that look like known ones: case, underscores, a plural, the prefix `KEYTURN_` or a letter or
 * two are wrong. What is shorter than six letters only counts by the first of these, since other programs have names, too.
 *
 * @returns each with the one that was meant.
 */
export function misspelt(
  names: readonly string[],
  known: readonly string[],
): [name: string, meant: string][] {
  const found: [string, string][] = []
  for (const name of names) {
    if (known.includes(name)) continue
    const meant = known.find((one) => looksLike(plain(name), plain(one)))
    if (meant) found.push([name, meant])
  }
  return found
}

const plain = (name: string) =>
  name
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '')
    .replace(/IES$/, 'Y')
    .replace(/S$/, '')

function looksLike(name: string, known: string): boolean {
  if (known.length < 6) return name === known
  if (name === `KEYTURN${known}`) return true
  const most = known.length < 9 ? 1 : 2
  return Math.abs(name.length - known.length) <= most && distance(name, known) <= most
}

/** How many letters have to be added, left out, changed or swapped with the next one (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : Infinity
      row.push(Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same, swapped))
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}
