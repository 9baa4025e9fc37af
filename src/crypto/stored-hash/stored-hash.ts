import type { Argon2Cost, Argon2Engine } from '../argon2-engine.ts'

/** A stored hash is of an unknown kind, or would cost too much work. */
export class UnreadableHashError extends Error {
  override readonly name = 'UnreadableHashError'
}

/** A password hash that was read and whose cost is bounded. */
export interface StoredHash {
  /** The algorithm, e.g. `argon2id`, `bcrypt`, `pbkdf2-sha256`. */
  readonly scheme: string
  /** The cost of argon2id in its present version, the only kind that this service makes. */
  readonly argon2id?: Argon2Cost
  /** How many bytes of a password it looks at, where not at all of them. */
  readonly readsBytes?: number
  /** Whether it is the hash of this password. */
  verify(password: string, argon2: Argon2Engine): Promise<boolean>
}

/** A shorter digest could match by chance, and an empty one would match everything. */
const MIN_DIGEST_BYTES = 16
const MAX_DIGEST_BYTES = 128
const MAX_SALT_BYTES = 128

/** @throws {UnreadableHashError} */
export function checkLengths(salt: Buffer, digest: Buffer): void {
  if (digest.length < MIN_DIGEST_BYTES || digest.length > MAX_DIGEST_BYTES)
    throw new UnreadableHashError(`A digest has ${MIN_DIGEST_BYTES} to ${MAX_DIGEST_BYTES} bytes`)
  if (salt.length > MAX_SALT_BYTES)
    throw new UnreadableHashError(`A salt has at most ${MAX_SALT_BYTES} bytes`)
}

/** Base64 without padding, as in PHC strings. */
export function phcBase64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
