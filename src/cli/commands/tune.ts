import { availableParallelism } from 'node:os'
import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { loadArgon2Engine } from '../../crypto/argon2-engine.ts'
import { answer } from '../terminal/answer.ts'
import { wholeNumber } from '../terminal/arguments.ts'
import { measureHash, type Proposal, proposeCost } from '../tune.ts'

const ABOUT = `
Never proposes less than OWASP's minimum. The lines can go into .env as they are; people's hashes are made anew
with them at their next login.

Examples:
  keyturn tune --ms 100
  keyturn tune --ms 250 --memory 128 --json`

const MIB = 1024
/** More than any machine or patience has; a proposal stays within what the service accepts. */
const MOST = 1_000_000

export function registerTune(program: Command): void {
  program
    .command('tune')
    .description('measure what a password hash costs here, and propose settings; no database is touched')
    .option('--ms <milliseconds>', 'how long one hash may take', wholeNumber(1, MOST), 50)
    .option('--memory <mebibytes>', 'how much memory one hash may take', wholeNumber(1, MOST), 64)
    .addHelpText('after', ABOUT)
    .action(async ({ ms: budgetMs, memory }: { ms: number; memory: number }, command) => {
      const engine = await loadArgon2Engine(readConfig(process.env).hashEngine)
      const proposal = await proposeCost((cost) => measureHash(engine, cost), {
        budgetMs,
        maxMemoryKib: memory * MIB,
      })
      answer(command, {
        json: { engine: engine.name, ms: proposal.ms, settings: settingsOf(proposal) },
        text: describe(engine.name, proposal, budgetMs),
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
function describe(engine: string, proposal: Proposal, budgetMs: number): string {
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
