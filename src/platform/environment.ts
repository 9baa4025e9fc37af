/** Reads variables of the environment. A value that it does not take is added to the faults. */
export type Reader = ReturnType<typeof makeReader>

/** An empty variable counts as not set, as in a `.env` file with blanks to fill in. */
export function makeReader(environment: NodeJS.ProcessEnv, faults: string[]) {
  const text = (name: string, fallback: string) => environment[name]?.trim() || fallback

  function choice<const T extends string>(name: string, choices: readonly T[], fallback: NoInfer<T>): T {
    const value = text(name, fallback)
    const found = choices.find((choice) => choice === value)
    if (found === undefined) faults.push(`${name} must be ${choices.join(' or ')}, not "${value}"`)
    return found ?? fallback
  }

  return {
    text,
    choice,
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
      return value.replace(/\/$/, '')
    },
  }
}
