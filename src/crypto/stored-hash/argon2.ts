import { MAX_COST, MAX_WORK } from '../argon2-engine.ts'
import { type StoredHash, UnreadableHashError } from './stored-hash.ts'

const PHC =
  /^\$(argon2(?:id|i|d))\$v=(16|19)\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,88}\$[A-Za-z0-9+/]{22,88}$/

/** The three kinds of RFC 9106, and version 16, which came before it. @throws {UnreadableHashError} */
export function readArgon2(text: string): StoredHash | null {
  const [, scheme, version, m, t, p] = PHC.exec(text) ?? []
  if (!scheme) return null
  const cost = { memoryKib: Number(m), passes: Number(t), parallelism: Number(p) }
  const bounded =
    cost.memoryKib <= MAX_COST.memoryKib &&
    cost.passes <= MAX_COST.passes &&
    cost.memoryKib * cost.passes <= MAX_WORK &&
    cost.parallelism <= MAX_COST.parallelism
  if (!bounded) throw new UnreadableHashError('A stored argon2 hash asks for too much work')
  return {
    scheme,
    ...(scheme === 'argon2id' && version === '19' && { argon2id: cost }),
    // Hashes of this service are of the password in Unicode NFC (NIST SP 800-63B-4 section 3.1.1.2).
    verify: (password, argon2) => argon2.verify(text, password.normalize('NFC')),
  }
}
