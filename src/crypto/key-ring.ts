import { hkdfSync } from 'node:crypto'

/** A shorter key could be guessed before AES-256 is broken (RFC 8725 section 3.5). */
export const MIN_ROOT_KEY_BYTES = 32

/** All configured root keys. The first one seals, and every one opens. */
export type KeyRing = ReturnType<typeof makeKeyRing>

/** @param roots at least one key of {@link MIN_ROOT_KEY_BYTES} bytes or more. */
export function makeKeyRing(roots: readonly Buffer[]) {
  const all = roots.map(makeRootKey)
  const primary = all[0]
  if (!primary) throw new RangeError('A key ring needs at least one root key')
  return { primary, all, find: (id: string) => all.find((key) => key.id === id) }
}

/** One `SECRET_KEY`. It is used only to derive keys, each for a single purpose. */
export type RootKey = ReturnType<typeof makeRootKey>

function makeRootKey(root: Buffer) {
  if (root.length < MIN_ROOT_KEY_BYTES)
    throw new RangeError(`A root key needs ${MIN_ROOT_KEY_BYTES} bytes or more`)
  return {
    /** Names the key in the values that it seals, and reveals nothing about it. */
    id: deriveKey(root, 'key id').toString('hex').slice(0, 8),
    /** 256 bits for one purpose (HKDF-SHA-256, RFC 5869). */
    derive: (purpose: string) => deriveKey(root, purpose),
  }
}

/** HKDF-SHA-256 with the purpose as `info`. */
export function deriveKey(root: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', root, Buffer.alloc(0), `keyturn ${purpose}`, 32))
}
