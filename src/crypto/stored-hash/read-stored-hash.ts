import { readArgon2 } from './argon2.ts'
import { readBcrypt } from './bcrypt.ts'
import { readPbkdf2 } from './pbkdf2.ts'
import { readScrypt } from './scrypt.ts'
import { type StoredHash, UnreadableHashError } from './stored-hash.ts'

/**
 * Reads the hash of a password, made here or imported, without computing anything. The cost of checking it is bounded
 * after that.
 *
 * @throws {UnreadableHashError}
 */
export function readStoredHash(text: string): StoredHash {
  const hash = readArgon2(text) ?? readBcrypt(text) ?? readScrypt(text) ?? readPbkdf2(text)
  if (!hash) throw new UnreadableHashError('A stored password hash is of no known kind')
  return hash
}
