/** The cost of one argon2id hash (RFC 9106 section 3.1). */
export interface Argon2Cost {
  memoryKib: number
  passes: number
  parallelism: number
}

/** The least cost of argon2id that OWASP recommends, as memory in KiB times passes. */
export const OWASP_LEAST_WORK = 7_168 * 5

/**
 * The most that one hash may cost, whether made here or imported: the memory of `HASH_CONCURRENCY` hashes at once
 * must fit into a small machine.
 */
export const MAX_COST: Argon2Cost = { memoryKib: 262_144, passes: 32, parallelism: 16 }

/** The most memory in KiB times passes that one hash may take: a second or two. */
export const MAX_WORK = 2 ** 20

/** A library that computes argon2id. Both libraries read each other's PHC strings. */
export interface Argon2Engine {
  readonly name: 'argon2' | 'node-rs'
  /** @returns a PHC string with a random salt of 128 bits and a tag of 256. */
  hash(password: string, cost: Argon2Cost): Promise<string>
  verify(phc: string, password: string): Promise<boolean>
}

export type EngineChoice = Argon2Engine['name'] | 'auto'

/**
 * `auto` takes `@node-rs/argon2` where it is installed, which uses the vector instructions of the machine, and the
 * `argon2` package elsewhere.
 *
 * @throws when the named engine is not installed.
 */
export async function loadArgon2Engine(choice: EngineChoice): Promise<Argon2Engine> {
  if (choice === 'argon2') return loadArgon2()
  if (choice === 'node-rs') return loadNodeRs()
  return loadNodeRs().catch(loadArgon2)
}

async function loadNodeRs(): Promise<Argon2Engine> {
  const { hash, verify } = await import('@node-rs/argon2')
  return {
    name: 'node-rs',
    hash: (password, { memoryKib, passes, parallelism }) =>
      hash(password, { memoryCost: memoryKib, timeCost: passes, parallelism }),
    verify: (phc, password) => verify(phc, password),
  }
}

async function loadArgon2(): Promise<Argon2Engine> {
  const { argon2id, hash, verify } = await import('argon2')
  return {
    name: 'argon2',
    hash: (password, { memoryKib, passes, parallelism }) =>
      hash(password, { type: argon2id, memoryCost: memoryKib, timeCost: passes, parallelism }),
    verify: (phc, password) => verify(phc, password),
  }
}
