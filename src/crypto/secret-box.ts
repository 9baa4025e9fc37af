import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import type { KeyRing } from './key-ring.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** A sealed value did not open: it was changed, moved to another row, or sealed under a key that is no longer known. */
export class UnsealError extends Error {
  override readonly name = 'UnsealError'
}

/**
 * Seals values that must be readable again, so that a copy of the database alone reveals nothing: AES-256-GCM (NIST SP
 * 800-38D) with a random 96-bit nonce, written as `<key id>.<base64url of nonce, tag, ciphertext>`. The context is
 * authenticated as well.
 */
export type SecretBox = ReturnType<typeof makeSecretBox>

/** The id of the key that a value is sealed under. */
export const sealedUnder = (sealed: string): string => sealed.split('.')[0] as string

export function makeSecretBox(keyRing: KeyRing) {
  const keys = new Map(keyRing.all.map((root) => [root.id, createSecretKey(root.derive('secret box'))]))

  return {
    /** The id of the key that this seals under. */
    keyId: keyRing.primary.id,

    /** @param context the place of the value, as `<table>:<ids>`. The value opens only with the same context. */
    seal(plaintext: Buffer, context: string): string {
      const { id } = keyRing.primary
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', keys.get(id) as KeyObject, nonce)
      cipher.setAAD(Buffer.from(context))
      const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
      return `${id}.${Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]).toString('base64url')}`
    },

    /** Whether the value is sealed under the first key, so that no other key is needed. */
    isCurrent: (sealed: string): boolean => sealed.startsWith(`${keyRing.primary.id}.`),

    /** @throws {UnsealError} */
    open(sealed: string, context: string): Buffer {
      const [id = '', encoded = '', ...rest] = sealed.split('.')
      if (rest.length > 0 || !/^[0-9a-f]{8}$/.test(id))
        // The value is not repeated: it could be a secret in clear.
        throw new UnsealError(`${context} is not of the form that seal writes`)
      const key = keys.get(id)
      if (!key) throw new UnsealError(`${context} is sealed under key ${id}, which SECRET_KEY does not hold`)
      const bytes = Buffer.from(encoded, 'base64url')
      if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new UnsealError(`${context} is cut short`)
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(Buffer.from(context))
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()])
      } catch (error) {
        throw new UnsealError(`${context} does not open`, { cause: error })
      }
    },
  }
}
