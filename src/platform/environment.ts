/** Reads variables of the environment. A value that it does not take is added to the faults. */
export interface Reader {
  text(name: string, fallback: string): string
  integer(name: string, fallback: number, min: number, max: number): number
  choice<const T extends string>(name: string, choices: readonly T[], fallback: NoInfer<T>): T
  onOff(name: string, fallback: boolean): boolean
  url(name: string, fallback: string): string
  /** The parts between the commas; none when the variable is not set. */
  list(name: string): string[]
}

/** An empty variable counts as not set, as in a `.env` file with blanks to fill in. */
export function makeReader(environment: NodeJS.ProcessEnv, faults: string[]): Reader {
  const text = (name: string, fallback: string) => environment[name]?.trim() || fallback

  const reader: Reader = {
    text,
    integer(name, fallback, min, max) {
      const value = text(name, String(fallback))
      const number = Number(value)
      if (/^\d+$/.test(value) && number >= min && number <= max) return number
      faults.push(`${name} must be a whole number from ${min} to ${max}, not "${value}"`)
      return fallback
    },
    choice(name, choices, fallback) {
      const value = text(name, fallback)
      const found = choices.find((choice) => choice === value)
      if (found === undefined) faults.push(`${name} must be ${choices.join(' or ')}, not "${value}"`)
      return found ?? fallback
    },
    list: (name) =>
      text(name, '')
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    onOff: (name, fallback) => reader.choice(name, ['on', 'off'], fallback ? 'on' : 'off') === 'on',
    url(name, fallback) {
      const value = text(name, fallback)
      const url = URL.parse(value)
      const plain = url && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username
      if (!plain) faults.push(`${name} must be an http or https URL without user, query or fragment`)
      return value.replace(/\/$/, '')
    },
  }
  return reader
}
