import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { deriveKey } from './key-ring.ts'

/**
 * Hashes secrets that are only looked up or compared. For two purposes, the values of one text have nothing in common.
 * The parts are joined unambiguously, so that `('a', 'bc')` and `('ab', 'c')` differ.
 *
 * @returns HMAC-SHA-256 (RFC 2104), base64url.
 */
export type KeyedHash = (purpose: string, ...parts: string[]) => string

/** @param hashKey 256 random bits, kept sealed in the database, so that hashes stay valid under a new `SECRET_KEY`. */
export function makeKeyedHash(hashKey: Buffer): KeyedHash {
  // Kept as key objects, which Node.js hands to OpenSSL once and not at each call.
  const keys = new Map<string, KeyObject>()
  const keyFor = (purpose: string): KeyObject => {
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
