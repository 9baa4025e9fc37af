import { MAX_COST, MAX_WORK } from '../argon2-engine.ts'
import { phcBase64, type StoredHash, UnreadableHashError } from './stored-hash.ts'

/** Django's word in front tells hashes that came by import from the ones that are made here. */
const PHC =
  /^(argon2)?(\$(argon2(?:id|i|d))\$v=(16|19)\$m=(0|[1-9]\d{0,9}),t=(0|[1-9]\d{0,9}),p=(0|[1-9]\d{0,2})\$([A-Za-z0-9+/]{11,88})\$([A-Za-z0-9+/]{22,88}))$/

/** The three kinds of RFC 9106, and version 16, which came before it. @throws {UnreadableHashError} */
export function readArgon2(text: string): StoredHash | null {
  const [, imported, phc = '', scheme, version, m, t, p, ...ends] = PHC.exec(text) ?? []
  if (!scheme) return null
  const cost = { memoryKib: Number(m), passes: Number(t), parallelism: Number(p) }
  const bounded =
    cost.memoryKib <= MAX_COST.memoryKib &&
    cost.passes <= MAX_COST.passes &&
    cost.memoryKib * cost.passes <= MAX_WORK &&
    cost.parallelism <= MAX_COST.parallelism
  if (!bounded) throw new UnreadableHashError('A stored argon2 hash asks for too much work')
  // RFC 9106 section 3.1. The libraries refuse less, and only at a sign-in.
  if (cost.passes < 1 || cost.parallelism < 1 || cost.memoryKib < 8 * cost.parallelism)
    throw new UnreadableHashError('argon2 cannot run with the memory, passes or lanes of the stored hash')
  if (ends.some((end) => phcBase64(Buffer.from(end, 'base64')) !== end))
    throw new UnreadableHashError('The salt or the digest of a stored argon2 hash is cut off')
  return {
    scheme,
    ...(!imported && scheme === 'argon2id' && version === '19' && { argon2id: cost }),
    verify: (password, argon2) => argon2.verify(phc, password),
  }
}
