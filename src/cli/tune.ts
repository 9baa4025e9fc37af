import { type Argon2Cost, type Argon2Engine, MAX_COST, MAX_WORK } from '../crypto/argon2-engine.ts'

/** The minimum of OWASP's Password Storage Cheat Sheet, in the form from which tuning starts. */
export const OWASP_MINIMUM: Argon2Cost = { memoryKib: 19_456, passes: 2, parallelism: 1 }

/** Hashes per measurement. Their median counts, because a single one may have shared its core with other work. */
const SAMPLES = 5
const REFINEMENTS = 4
const MIB = 1024

/** A cost, and how long a hash of it takes on this machine. */
export interface Proposal {
  cost: Argon2Cost
  ms: number
}

/**
 * The highest cost of a hash within a budget of time. Memory is raised first, because it makes guessing on graphics
 * cards expensive (RFC 9106 section 4), then passes. The cost is never below OWASP's minimum, even over budget.
 *
 * @param measure how long a hash of a cost takes, in milliseconds.
 * @param maxMemoryKib the most memory that one hash may take.
 */
export async function proposeCost(
  measure: (cost: Argon2Cost) => Promise<number>,
  { budgetMs, maxMemoryKib }: { budgetMs: number; maxMemoryKib: number },
): Promise<Proposal> {
  const minimum = { cost: OWASP_MINIMUM, ms: await measure(OWASP_MINIMUM) }
  let best: Proposal = minimum
  let work = workOf(OWASP_MINIMUM) * (budgetMs / minimum.ms)
  for (let i = 0; i < REFINEMENTS; i += 1) {
    const cost = costOf(work, maxMemoryKib)
    const tried = { cost, ms: await measure(cost) }
    if (tried.ms <= budgetMs && workOf(cost) > workOf(best.cost)) best = tried
    // A little less than would just fit, so that the next attempt is likely to fit.
    work *= 0.97 * (budgetMs / tried.ms)
  }
  return best
}

/** Time grows with the product of the two. */
function workOf({ memoryKib, passes }: Argon2Cost): number {
  return memoryKib * passes
}

/** Never more than the service accepts, whatever the budget. */
function costOf(work: number, maxMemoryKib: number): Argon2Cost {
  const { memoryKib: least, passes: fewest } = OWASP_MINIMUM
  const wanted = Math.floor(work / fewest / MIB) * MIB
  const memoryKib = Math.max(least, Math.min(wanted, maxMemoryKib, MAX_COST.memoryKib))
  const passes = Math.min(Math.floor(Math.min(work, MAX_WORK) / memoryKib), MAX_COST.passes)
  return { memoryKib, passes: Math.max(fewest, passes), parallelism: 1 }
}

/** How long a hash takes here, in milliseconds. */
export async function measureHash(engine: Argon2Engine, cost: Argon2Cost): Promise<number> {
  const times: number[] = []
  while (times.length < SAMPLES) {
    const startedAt = performance.now()
    await engine.hash('correct horse battery', cost)
    times.push(performance.now() - startedAt)
  }
  return times.sort((a, b) => a - b)[Math.floor(SAMPLES / 2)] as number
}
