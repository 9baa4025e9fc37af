import t from 'tap'
import { betterEngine, OWASP_MINIMUM, proposeCost } from '../../src/cli/commands/tune.ts'
import { readConfig } from '../../src/config.ts'
import type { Argon2Cost } from '../../src/crypto/argon2-engine.ts'
import { runWarm } from '../helpers/programs/keyturn.ts'

/** An operator who asks for a budget of time gets a cost within it, and never one that is too cheap to be safe. */

/** As fast or slow as a machine may be: what a hash takes follows from its cost. */
function machine(msPerMib: number) {
  const asked: Argon2Cost[] = []
  const measure = async (cost: Argon2Cost) => {
    asked.push(cost)
    return (msPerMib * cost.memoryKib * cost.passes) / 1024
  }
  return { measure, asked }
}

t.test('a slow machine is not given less than the OWASP minimum', async (t) => {
  const { measure, asked } = machine(2)
  const { cost, ms } = await proposeCost(measure, { budgetMs: 50, maxMemoryKib: 65_536 })
  t.strictSame(cost, OWASP_MINIMUM)
  t.equal(ms, 76, 'and the time says that it is over the budget')
  for (const { memoryKib, passes } of asked) t.ok(memoryKib >= 19_456 && passes >= 2)
})

t.test('what a fast machine has to spare goes into memory, up to the limit', async (t) => {
  const { cost, ms } = await proposeCost(machine(0.5).measure, { budgetMs: 50, maxMemoryKib: 65_536 })
  t.strictSame(cost, { memoryKib: 50 * 1024, passes: 2, parallelism: 1 })
  t.equal(ms, 50)
})

t.test('and beyond the limit into passes', async (t) => {
  const { cost, ms } = await proposeCost(machine(0.1).measure, { budgetMs: 50, maxMemoryKib: 65_536 })
  t.strictSame(cost, { memoryKib: 65_536, passes: 7, parallelism: 1 })
  t.ok(ms <= 50)
})

t.test('whatever there is to spend, the service starts with what is proposed', async (t) => {
  for (const [budgetMs, maxMemoryKib] of [
    [60_000, 65_536],
    [60_000, 8_388_608],
    [2_000, 1_024],
  ] as const) {
    const { cost } = await proposeCost(machine(0.1).measure, { budgetMs, maxMemoryKib })
    const settings = { ARGON2_MEMORY_KIB: String(cost.memoryKib), ARGON2_TIME: String(cost.passes) }
    t.match(readConfig(settings).argon2, cost)
  }
})

t.test('if another engine than the one in use is faster, it says what to set', async (t) => {
  const built = 'argon2 built for avx2'
  const advice = (inUse: string, ...times: number[]) =>
    betterEngine(
      [built, 'node-rs', 'argon2'].map((name, index) => ({ name, ms: times[index] ?? 30 })),
      inUse,
    )
  t.match(advice(built, 10, 8), /^node-rs is faster here. HASH_ENGINE=node-rs /)
  t.match(advice('node-rs', 6, 8), /^argon2 built for avx2 is faster here. HASH_ENGINE=argon2 /)
  t.equal(advice(built, 6, 8), undefined)
  t.equal(advice(built, 10, 9.8), undefined, 'a difference that is noise')
})

t.test('the command prints settings that can be put into .env', async (t) => {
  const { code, stdout } = await runWarm(['tune', '--ms', '1'])
  t.equal(code, 0)
  t.match(stdout, "OWASP's minimum takes longer")
  t.strictSame(
    stdout
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('#')),
    ['ARGON2_MEMORY_KIB=19456', 'ARGON2_TIME=2', 'ARGON2_PARALLELISM=1'],
  )
  const { code: misused } = await runWarm(['tune', '--ms', 'soon'])
  t.equal(misused, 2)
})
