import type { Argon2Cost, Argon2Engine } from '../argon2-engine.ts'

/** A stored hash is of no kind that we know, or asks for more work than anyone should do. */
export class UnreadableHashError extends Error {
  override readonly name = 'UnreadableHashError'
}

/** The hash of somebody's password, read and bounded. */
export interface StoredHash {
  /** What computed it, e.g. `argon2id`, `bcrypt`, `pbkdf2-sha256`. */
  readonly scheme: string
  /** The cost of argon2id in its present version; no other scheme is made here. */
  readonly argon2id?: Argon2Cost
  /** @param password as it was typed. */
  verify(password: string, argon2: Argon2Engine): Promise<boolean>
}

/** Shorter digests could be hit by chance, and an empty one by everything. */
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
