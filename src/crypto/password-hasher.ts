import { networksOf } from '../values/network.ts'
import type { Argon2Cost, Argon2Engine } from './argon2-engine.ts'
import type { HashQueue, Lane } from './hash-queue.ts'
import { readStoredHash } from './stored-hash/read-stored-hash.ts'
import type { StoredHash } from './stored-hash/stored-hash.ts'

interface HasherParts {
  engine: Argon2Engine
  cost: Argon2Cost
  queue: HashQueue
}

/** Who asks for a hash. Logins queue by network. */
interface Asker {
  /** Empty for an operator. */
  ip: string
  signal?: AbortSignal
}

/** What is known of a name when its turn to be looked up has come. */
export interface Found {
  /** `undefined` for an account that does not exist. */
  hash: string | undefined
  /** Whether the asker is in a network of the account. */
  atHome: boolean
}

interface VerifyOptions {
  asker?: Asker
  /** Whether the asker is in a network of the account: asked before anything else, where that decides about a place. */
  isAtHome?: () => Promise<boolean>
  /** Called after the wait, just before the hash. */
  turn?: () => Promise<void>
}

/** Those who sign in from where they are at home have half of the turns, and of the places, however many strangers come. */
const laneOf = (asker?: Asker, atHome = false): Lane => [
  atHome ? 'at home' : 'strangers',
  ...networksOf(asker?.ip ?? ''),
]

/**
 * argon2id of the password in Unicode NFC (NIST SP 800-63B-4 section 3.1.1.2). Only a bounded number of hashes run at
 * a time.
 */
export type PasswordHasher = Awaited<ReturnType<typeof makePasswordHasher>>

export async function makePasswordHasher({ engine, cost, queue }: HasherParts) {
  const startedAt = performance.now()
  const noAccounts = readStoredHash(await engine.hash(crypto.randomUUID(), cost))
  const hashMs = Math.round(performance.now() - startedAt)
  const isSlow = ({ argon2id }: StoredHash) =>
    !argon2id || argon2id.memoryKib * argon2id.passes > cost.memoryKib * cost.passes

  return {
    /** The library that hashes, and how long the first hash at the start took, in milliseconds. */
    engine: { name: engine.name, hashMs },

    /** Checks that a password would be hashed now. @throws {QueueFullError} */
    admit: (asker: Asker): Promise<void> => queue.admit(laneOf(asker)),

    /** Whether an optional hash should be left out because the queue is full. */
    full: (): boolean => queue.full(),

    /** @returns a PHC string. @throws {QueueFullError} */
    hash: (password: string, asker?: Asker): Promise<string> =>
      queue.run(() => engine.hash(password.normalize('NFC'), cost), {
        lane: laneOf(asker),
        signal: asker?.signal,
      }),

    /**
     * Hashes of other programs, and of a higher cost than today's, run one at a time. The hashes of this service do not
     * wait for them.
     *
     * @param find the hash of the account, made here or imported. For an account that does not exist the same work is
     * done and the answer is `false`. It is called when there is a place in the queue, not before.
     * @throws {QueueFullError} @throws {UnreadableHashError} @throws what `find` and `turn` throw
     */
    async verify(
      find: () => Promise<Found>,
      password: string,
      { asker, isAtHome, turn }: VerifyOptions = {},
    ): Promise<boolean> {
      const [strangers, home] = [laneOf(asker), laneOf(asker, true)]
      let stored: StoredHash | undefined
      const first = async () => {
        const { hash, atHome } = await find()
        stored = hash === undefined ? undefined : readStoredHash(hash)
        return { lane: atHome ? home : strangers, slow: stored !== undefined && isSlow(stored) }
      }
      const work = async () => {
        await turn?.()
        return (stored ?? noAccounts).verify(password, engine)
      }
      const betterLane = isAtHome && { lane: home, belongs: isAtHome }
      const matches = await queue.run(work, { lane: strangers, signal: asker?.signal, betterLane, first })
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
