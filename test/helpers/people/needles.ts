import { Buffer } from 'node:buffer'

/** Secrets to look for, in every form in which they could have been written down. */
export interface Needles {
  /** @returns the secret, so that it can be planted where it is used. */
  add<T extends string | Buffer>(name: string, secret: T): T
  /** Digits by themselves: they must not stand alone, but may occur within a longer id by chance. */
  addCode(name: string, code: string): string
  /** The names of those that occur. */
  in(haystack: string | Buffer): string[]
}

export function makeNeedles(): Needles {
  const texts = new Map<string, string>()
  const codes = new Map<string, RegExp>()
  return {
    add(name, secret) {
      const bytes = Buffer.from(secret as string)
      const forms = { plain: bytes.toString('latin1'), uri: encodeURIComponent(bytes.toString('latin1')) }
      const encodings = ['hex', 'base64', 'base64url'] as const
      for (const text of Object.values(forms)) texts.set(text.toLowerCase(), name)
      for (const encoding of encodings)
        texts.set(bytes.toString(encoding).toLowerCase().replace(/=+$/, ''), `${name} in ${encoding}`)
      return secret
    },
    addCode(name, code) {
      codes.set(name, new RegExp(`(?<![0-9a-z_-])${code}(?![0-9a-z_-])`, 'i'))
      return code
    },
    in(haystack) {
      const text = (typeof haystack === 'string' ? Buffer.from(haystack) : haystack).toString('latin1')
      const lower = text.toLowerCase()
      return [
        ...[...texts].filter(([form]) => lower.includes(form)).map(([, name]) => name),
        ...[...codes].filter(([, pattern]) => pattern.test(text)).map(([name]) => name),
      ]
    },
  }
}
