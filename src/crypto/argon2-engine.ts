import { type InstructionSet, instructionSets, requireArgon2, requireBuilt } from './argon2-builds.ts'

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

/** A library that computes argon2id. All of them read each other's PHC strings. */
export interface Argon2Engine {
  /** With what the package `argon2` was built for, where `keyturn build-hash` has done that. */
  readonly name: string
  /** @returns a PHC string with a random salt of 128 bits and a tag of 256. */
  hash(password: string, cost: Argon2Cost): Promise<string>
  verify(phc: string, password: string): Promise<boolean>
}

export type EngineChoice = 'argon2' | 'node-rs' | 'auto'

/**
 * `auto` takes the package `argon2` where `keyturn build-hash` has built it for this processor, else `@node-rs/argon2`,
 * and where that is not installed, `argon2` as it comes.
 *
 * @param sets what this processor has.
 * @throws when the named engine is not installed.
 */
export async function loadArgon2Engine(
  choice: EngineChoice,
  sets = instructionSets(),
): Promise<Argon2Engine> {
  if (choice === 'node-rs') return loadNodeRs()
  const built = loadBuilt(sets)
  return choice === 'argon2' ? built.catch(loadArgon2) : built.catch(loadNodeRs).catch(loadArgon2)
}

/** Every engine that is there, in the order in which `auto` takes them. */
export async function argon2Engines(): Promise<Argon2Engine[]> {
  const loaded = await Promise.allSettled([loadBuilt(instructionSets()), loadNodeRs(), loadArgon2()])
  return loaded.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
}

async function loadBuilt(sets: readonly InstructionSet[]): Promise<Argon2Engine> {
  const { argon2, set } = requireBuilt(sets)
  return engineOf(argon2, `argon2 built for ${set}`)
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

const loadArgon2 = async () => engineOf(requireArgon2(), 'argon2')

const engineOf = ({ argon2id, hash, verify }: typeof import('argon2'), name: string): Argon2Engine => ({
  name,
  hash: (password, { memoryKib, passes, parallelism }) =>
    hash(password, { type: argon2id, memoryCost: memoryKib, timeCost: passes, parallelism }),
  verify: (phc, password) => verify(phc, password),
})
