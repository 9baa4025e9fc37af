import type { Argon2Cost, Argon2Engine } from './argon2-engine.ts'
import type { HashQueue } from './hash-queue.ts'

/** A stored hash is not one of ours, or asks for more work than anyone should do. */
export class UnreadableHashError extends Error {
  override readonly name = 'UnreadableHashError'
}

/** Bounds for parameters read from a stored hash: a hostile row must not cost gigabytes or minutes. */
const MAX_STORED_COST: Argon2Cost = { memoryKib: 1_048_576, passes: 32, parallelism: 16 }

const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,88}\$[A-Za-z0-9+/]{22,88}$/

export interface PasswordHasher {
  /** @returns a PHC string. @throws {QueueFullError} */
  hash(password: string, signal?: AbortSignal): Promise<string>
  /**
   * @param phc the stored hash, or `undefined` for an account that does not exist: the same work is done, and
   * the answer is false.
   * @throws {QueueFullError} @throws {UnreadableHashError}
   */
  verify(phc: string | undefined, password: string, signal?: AbortSignal): Promise<boolean>
  /** Whether a stored hash was made at another cost than today's. @throws {UnreadableHashError} */
  needsRehash(phc: string): boolean
}

/**
 * argon2id of the password in Unicode NFC (NIST SP 800-63B-4 section 3.1.1.2), a bounded number at a time.
 */
export async function makePasswordHasher({
  engine,
  cost,
  queue,
}: {
  engine: Argon2Engine
  cost: Argon2Cost
  queue: HashQueue
}): Promise<PasswordHasher> {
  const nobodysHash = await engine.hash(crypto.randomUUID(), cost)

  return {
    hash: (password, signal) => queue.run(() => engine.hash(password.normalize('NFC'), cost), signal),

    async verify(phc, password, signal) {
      if (phc !== undefined) readCost(phc)
      const matches = await queue.run(
        () => engine.verify(phc ?? nobodysHash, password.normalize('NFC')),
        signal,
      )
      return matches && phc !== undefined
    },

    needsRehash(phc) {
      const stored = readCost(phc)
      return (
        stored.memoryKib !== cost.memoryKib ||
        stored.passes !== cost.passes ||
        stored.parallelism !== cost.parallelism
      )
    },
  }
}

function readCost(phc: string): Argon2Cost {
  const [, m, t, p] = PHC.exec(phc) ?? []
  const cost = { memoryKib: Number(m), passes: Number(t), parallelism: Number(p) }
  const bounded =
    cost.memoryKib <= MAX_STORED_COST.memoryKib &&
    cost.passes <= MAX_STORED_COST.passes &&
    cost.parallelism <= MAX_STORED_COST.parallelism
  if (!bounded) throw new UnreadableHashError('A stored password hash is not a bounded argon2id hash')
  return cost
}
