import { type Argon2Cost, type Argon2Engine, MAX_COST, MAX_WORK } from '../crypto/argon2-engine.ts'

/** The least that OWASP's Password Storage Cheat Sheet allows, in the form with which tuning begins. */
export const OWASP_MINIMUM: Argon2Cost = { memoryKib: 19_456, passes: 2, parallelism: 1 }

/** Hashes of which the median counts: one alone may have met something else on its core. */
const SAMPLES = 5
const REFINEMENTS = 4
const MIB = 1024

/** A cost and what a hash at it takes on this machine. */
export interface Proposal {
  cost: Argon2Cost
  ms: number
}

/**
 * The highest cost of a hash within a budget of time: memory first, which is what makes guessing on graphics cards
 * dear (RFC 9106 section 4), then passes. Never below OWASP's minimum, also where that is over the budget.
 *
 * @param measure how long a hash of a cost takes, in milliseconds.
 * @param maxMemoryKib the most that one hash may take.
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
    // A little less than what would just fit, so that the next one is likely to.
    work *= 0.97 * (budgetMs / tried.ms)
  }
  return best
}

/** Time goes by the product of the two. */
function workOf({ memoryKib, passes }: Argon2Cost): number {
  return memoryKib * passes
}

/** Of a cost that the service takes, however much there is to spend. */
function costOf(work: number, maxMemoryKib: number): Argon2Cost {
  const { memoryKib: least, passes: fewest } = OWASP_MINIMUM
  const wanted = Math.floor(work / fewest / MIB) * MIB
  const memoryKib = Math.max(least, Math.min(wanted, maxMemoryKib, MAX_COST.memoryKib))
  const passes = Math.min(Math.floor(Math.min(work, MAX_WORK) / memoryKib), MAX_COST.passes)
  return { memoryKib, passes: Math.max(fewest, passes), parallelism: 1 }
}

/** What a hash takes here, in milliseconds. */
export async function measureHash(engine: Argon2Engine, cost: Argon2Cost): Promise<number> {
  const times: number[] = []
  while (times.length < SAMPLES) {
    const startedAt = performance.now()
    await engine.hash('correct horse battery', cost)
    times.push(performance.now() - startedAt)
  }
  return times.sort((a, b) => a - b)[Math.floor(SAMPLES / 2)] as number
}
