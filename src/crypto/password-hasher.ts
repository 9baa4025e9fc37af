import type { Argon2Cost, Argon2Engine } from './argon2-engine.ts'
import type { HashQueue } from './hash-queue.ts'
import { readStoredHash } from './stored-hash/read-stored-hash.ts'

interface HasherParts {
  engine: Argon2Engine
  cost: Argon2Cost
  queue: HashQueue
}

interface VerifyOptions {
  signal?: AbortSignal | undefined
  /** Called after the wait, just before the hash. */
  turn?: () => Promise<void>
}

/**
 * argon2id of the password in Unicode NFC (NIST SP 800-63B-4 section 3.1.1.2). Only a bounded number of hashes run at
 * a time.
 */
export type PasswordHasher = Awaited<ReturnType<typeof makePasswordHasher>>

export async function makePasswordHasher({ engine, cost, queue }: HasherParts) {
  const startedAt = performance.now()
  const nobodysHash = await engine.hash(crypto.randomUUID(), cost)
  const hashMs = Math.round(performance.now() - startedAt)

  return {
    /** The library that hashes, and how long the first hash at the start took, in milliseconds. */
    engine: { name: engine.name, hashMs },

    /** Checks that a password would be hashed now. @throws {QueueFullError} */
    admit: (): Promise<void> => queue.admit(),

    /** Whether an optional hash should be left out because the queue is full. */
    full: (): boolean => queue.full(),

    /** @returns a PHC string. @throws {QueueFullError} */
    hash: (password: string, signal?: AbortSignal): Promise<string> =>
      queue.run(() => engine.hash(password.normalize('NFC'), cost), { signal }),

    /**
     * @param find the hash of the account, made here or imported; `undefined` for an account that does not exist, for
     * which the same work is done and the answer is `false`. It is called when there is a place in the queue, not
     * before.
     * @throws {QueueFullError} @throws {UnreadableHashError} @throws what `find` and `turn` throw
     */
    async verify(
      find: () => Promise<string | undefined>,
      password: string,
      { signal, turn }: VerifyOptions = {},
    ): Promise<boolean> {
      let stored: string | undefined
      const first = async () => {
        stored = await find()
      }
      const work = async () => {
        await turn?.()
        return readStoredHash(stored ?? nobodysHash).verify(password, engine)
      }
      const matches = await queue.run(work, { signal, first })
      return matches && stored !== undefined
    },

    /**
     * Whether a stored hash differs in kind or cost from one made today, and this password, which it has accepted, is
     * certainly the one it was made of: bcrypt does not look at the end of a long one. @throws {UnreadableHashError}
     */
    needsRehash(stored: string, password: string): boolean {
      const { argon2id, readsBytes = Number.POSITIVE_INFINITY } = readStoredHash(stored)
      // The longest of the forms in which it may have been hashed.
      if (Buffer.byteLength(password.normalize('NFD')) > readsBytes) return false
      return !(
        argon2id?.memoryKib === cost.memoryKib &&
        argon2id.passes === cost.passes &&
        argon2id.parallelism === cost.parallelism
      )
    },
  }
}
