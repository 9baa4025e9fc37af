const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The other texts of a token whose bytes are the same: bits of its last base64url character mean nothing. */
export function respellings(token: string): string[] {
  const [last = '', body] = [token.at(-1), token.slice(0, -1)]
  const signature = (text: string) => Buffer.from(text.split('.').at(-1) ?? '', 'base64url')
  return [...ALPHABET]
    .filter((character) => character !== last)
    .map((character) => body + character)
    .filter((text) => signature(text).equals(signature(token)))
}
