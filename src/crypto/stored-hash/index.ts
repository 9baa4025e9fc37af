import { readArgon2 } from './argon2.ts'
import { readBcrypt } from './bcrypt.ts'
import { readPbkdf2 } from './pbkdf2.ts'
import { readScrypt } from './scrypt.ts'
import { type StoredHash, UnreadableHashError } from './stored-hash.ts'

/**
 * Reads the hash of a password, ours or one that an account brought along, without computing anything: what it
 * would cost to check is bounded by then.
 *
 * @throws {UnreadableHashError}
 */
export function readStoredHash(text: string): StoredHash {
  const hash = readArgon2(text) ?? readBcrypt(text) ?? readScrypt(text) ?? readPbkdf2(text)
  if (!hash) throw new UnreadableHashError('A stored password hash is of no known kind')
  return hash
}
