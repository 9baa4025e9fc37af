import { availableParallelism } from 'node:os'
import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { instructionSets, isBuilt } from '../../crypto/argon2-builds.ts'
import {
  type Argon2Cost,
  type Argon2Engine,
  argon2Engines,
  loadArgon2Engine,
  MAX_COST,
  MAX_WORK,
} from '../../crypto/argon2-engine.ts'
import { answer, wholeNumber } from '../terminal.ts'

/** The minimum of OWASP's Password Storage Cheat Sheet, in the form from which tuning starts. */
export const OWASP_MINIMUM: Argon2Cost = { memoryKib: 19_456, passes: 2, parallelism: 1 }

/** Hashes per measurement. Their median counts. */
const SAMPLES = 5
/** Hashes before that: each thread takes its memory from the system with its first ones, which may cost many times as much. */
const WARM_UP = 8
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

/** How long a hash takes on a core of its own, in milliseconds: CPU time, which other programs do not change. */
export async function measureHash(engine: Argon2Engine, cost: Argon2Cost): Promise<number> {
  for (let i = 0; i < WARM_UP; i += 1) await engine.hash('correct horse battery', cost)
  const times: number[] = []
  while (times.length < SAMPLES) {
    const before = process.cpuUsage()
    await engine.hash('correct horse battery', cost)
    const { user, system } = process.cpuUsage(before)
    times.push((user + system) / 1000)
  }
  return times.sort((a, b) => a - b)[Math.floor(SAMPLES / 2)] as number
}

/** An engine, and how long a hash of OWASP's minimum takes with it. */
interface Timed {
  name: string
  ms: number
}

/** Less is noise. */
const FASTER = 0.95

/** What to set if another engine is faster than the one in use; `undefined` if none is. */
export function betterEngine(engines: readonly Timed[], inUse: string): string | undefined {
  const msInUse = engines.find(({ name }) => name === inUse)?.ms ?? 0
  const [best] = engines.filter(({ ms }) => ms < FASTER * msInUse).sort((a, b) => a.ms - b.ms)
  const choice = best?.name === 'node-rs' ? 'node-rs' : 'argon2'
  return best && `${best.name} is faster here. HASH_ENGINE=${choice} makes the service use it.`
}

/** Every engine that is there, in the order in which `auto` takes them. */
export async function compareEngines(): Promise<Timed[]> {
  const times: Timed[] = []
  for (const engine of await argon2Engines())
    times.push({ name: engine.name, ms: await measureHash(engine, OWASP_MINIMUM) })
  return times
}

const ABOUT = `
It proposes no less than OWASP's minimum, and touches no database. Copy the lines into .env as they are: each password is
hashed again at the next login.

Examples:
  keyturn tune --ms 100
  keyturn tune --ms 250 --memory 128 --json`

/** More than any machine or patience has; a proposal stays within what the service accepts. */
const MOST = 1_000_000

export function registerTune(program: Command): void {
  program
    .command('tune')
    .description('measure what a password hash costs on this machine, and propose settings')
    .option('--ms <milliseconds>', 'how long one hash may take', wholeNumber(1, MOST), 50)
    .option('--memory <mebibytes>', 'how much memory one hash may take', wholeNumber(1, MOST), 64)
    .addHelpText('after', ABOUT)
    .action(async ({ ms: budgetMs, memory }: { ms: number; memory: number }, command) => {
      const engine = await loadArgon2Engine(readConfig(process.env).hashEngine)
      const proposal = await proposeCost((cost) => measureHash(engine, cost), {
        budgetMs,
        maxMemoryKib: memory * MIB,
      })
      const engines = await compareEngines()
      const sets = instructionSets()
      const buildFor = sets.some(isBuilt) ? undefined : sets[0]
      const better = betterEngine(engines, engine.name)
      answer(command, {
        json: {
          ...{ engine: engine.name, ms: proposal.ms, settings: settingsOf(proposal) },
          ...{ engines, build_for: buildFor ?? null },
        },
        text: [
          inWords(engine.name, proposal, budgetMs),
          `# At OWASP's minimum: ${engines.map(({ name, ms }) => `${name} ${ms.toFixed(1)} ms`).join(', ')}.`,
          ...(buildFor
            ? [`# This processor has ${buildFor}: keyturn build-hash compiles the hash for it.`]
            : []),
          ...(better ? [`# ${better}`] : []),
        ].join('\n'),
      })
    })
}

function settingsOf({ cost }: Proposal): Record<string, number> {
  return {
    ARGON2_MEMORY_KIB: cost.memoryKib,
    ARGON2_TIME: cost.passes,
    ARGON2_PARALLELISM: cost.parallelism,
  }
}

/** Lines that can be put into `.env` as they are. */
function inWords(engine: string, proposal: Proposal, budgetMs: number): string {
  const { cost, ms } = proposal
  const cores = availableParallelism()
  const perSecond = (cores * 1000) / ms
  const memoryMib = Math.ceil((cores * cost.memoryKib) / MIB)
  const lines = [
    `# One hash with ${engine} takes ${ms.toFixed(1)} ms: on ${cores} cores at most ${perSecond.toFixed(0)} logins a second,`,
    `# with ${memoryMib} MiB for the hashes that run at once.`,
    ...Object.entries(settingsOf(proposal)).map(([name, value]) => `${name}=${value}`),
  ]
  if (ms > budgetMs)
    lines.unshift(`# OWASP's minimum takes longer than ${budgetMs} ms here. Less is not proposed.`)
  return lines.join('\n')
}
