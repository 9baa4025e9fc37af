import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { deriveKey } from './key-ring.ts'

/** What a keyed hash is for; the same text hashed for two purposes gives unrelated values. */
export type HashPurpose =
  | 'refresh token'
  | 'refresh successor'
  | 'recovery code'
  | 'email code'
  | 'reset token'
  | 'sign-in subject'
  | 'mail count'
  | 'shared count'

/**
 * Hashes secrets that are only ever looked up or compared. The parts are joined unambiguously, so
 * `('a', 'bc')` and `('ab', 'c')` differ.
 *
 * @returns HMAC-SHA-256 (RFC 2104), base64url.
 */
export type KeyedHash = (purpose: HashPurpose, ...parts: string[]) => string

/** @param hashKey 256 random bits, kept sealed in the database so that a new `SECRET_KEY` leaves hashes valid. */
export function makeKeyedHash(hashKey: Buffer): KeyedHash {
  // As key objects, which Node.js takes over into OpenSSL once instead of at each call.
  const keys = new Map<HashPurpose, KeyObject>()
  const keyFor = (purpose: HashPurpose): KeyObject => {
    const known = keys.get(purpose)
    if (known) return known
    const derived = createSecretKey(deriveKey(hashKey, purpose))
    keys.set(purpose, derived)
    return derived
  }
  return (purpose, ...parts) =>
    createHmac('sha256', keyFor(purpose)).update(JSON.stringify(parts)).digest('base64url')
}

export function newHashKey(): Buffer {
  return randomBytes(32)
}
