import { readFileSync } from 'node:fs'

interface Vector {
  /** `null` where the hash is refused, as is every one that is not `known_correct_hashes`. */
  password: string | null
  hash: string
  kind: 'known_correct_hashes' | 'known_malformed_hashes' | 'known_unidentified_hashes'
}

/** The vectors of passlib's tests by the name of their class there; the file says where they are from. */
export const { vectors } = JSON.parse(
  readFileSync(new URL('password-hashes.json', import.meta.url), 'utf8'),
) as { vectors: Record<string, Vector[]> }
