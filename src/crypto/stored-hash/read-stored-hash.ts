import type { Argon2Engine } from '../argon2-engine.ts'
import { readArgon2 } from './argon2.ts'
import { readBcrypt } from './bcrypt.ts'
import { readPbkdf2 } from './pbkdf2.ts'
import { readScrypt } from './scrypt.ts'
import { readShaCrypt } from './sha-crypt.ts'
import { type StoredHash, UnreadableHashError } from './stored-hash.ts'

const READERS = [readArgon2, readBcrypt, readScrypt, readPbkdf2, readShaCrypt]

/**
 * Reads the hash of a password, made here or imported, without computing anything. The cost of checking it is bounded
 * after that.
 *
 * @throws {UnreadableHashError}
 */
export function readStoredHash(text: string): StoredHash {
  for (const read of READERS) {
    const hash = read(text)
    if (hash) return { ...hash, verify: (password, argon2) => verifyForms(hash, password, argon2) }
  }
  throw new UnreadableHashError('A stored password hash is of no known kind')
}

/**
 * Hashes of this service are of the password in Unicode NFC (NIST SP 800-63B-4 section 3.1.1.2). Other programs hashed
 * what the keyboard gave, or another form. Most passwords are the same in each.
 */
async function verifyForms(hash: StoredHash, password: string, argon2: Argon2Engine): Promise<boolean> {
  const others = hash.argon2id ? [] : [password, password.normalize('NFD'), password.normalize('NFKC')]
  for (const form of new Set([password.normalize('NFC'), ...others]))
    if (await hash.verify(form, argon2)) return true
  return false
}
