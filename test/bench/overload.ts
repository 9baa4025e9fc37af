/** `npm run bench:overload`: what those who do nothing wrong notice while others flood `POST /login`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { measureFairness } from './fairness.ts'
import { quantile } from './figures.ts'
import type { FloodFigures } from './flood.ts'
import { misses } from './goals.ts'
import { startKeyturn } from './keyturn.ts'
import { type Latencies, probe, startFlood } from './probing.ts'
import { describeMachine, number, table } from './report.ts'

const positive = (text: string) => {
  const value = Number(text)
  if (value > 0) return value
  throw new InvalidArgumentError('It must be a number above 0.')
}

const options = new Command('overload')
  .description(
    'Measures requests of one client on an idle service and, turn by turn, under a flood of logins.',
  )
  .option('--clients <n>', 'how many clients flood it', positive, 150)
  .option('--probes <n>', 'how often each route is asked in a turn', positive, 200)
  .option('--turns <n>', 'how many turns idle, and as many under the flood', positive, 5)
  .option('--check', 'exit with 1 when a goal is missed by more than a tenth')
  .parse()
  .opts<{ clients: number; probes: number; turns: number; check?: boolean }>()

/** Up to `unnoticedMs` no one notices: that is no fault, even if it is more than `slower` times as long as at rest. */
const GOALS = {
  slower: 3,
  unnoticedMs: 10,
  refusedWithinMs: 100,
  memoryMib: 256,
  refusedOfTen: 1,
  duringImported: 3,
}

const ACCOUNTS = 20_000

const folder = mkdtempSync(`${tmpdir()}/keyturn-overload-`)
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

const keyturn = await startKeyturn(`${folder}/keyturn`, { accounts: ACCOUNTS, sessionsEach: 1 })
const idle: Latencies = new Map()
const flooded: Latencies = new Map()
const floods: FloodFigures[] = []
// The first turn warms up.
await probe(keyturn, options.probes, new Map())
const before = await keyturn.server.usage('begin')
for (let turn = 0; turn < options.turns; turn += 1) {
  await probe(keyturn, options.probes, idle)
  const flood = await startFlood(keyturn.server.port, { clients: options.clients, accounts: ACCOUNTS })
  await probe(keyturn, options.probes, flooded)
  floods.push(await flood.stop())
}
const after = await keyturn.server.usage('end')
await keyturn.stop()
const fairness = await measureFairness(`${folder}/fairness`)
const verdicts = [...verdictsOnRoutes(), ...verdictsOnRefusals(), ...verdictsOnFairness()]
console.log(`${describeMachine()}; ${options.clients} clients flood, ${options.turns} turns\n`)
console.log(`${tableOfRoutes()}\n\n${tableOfLogins()}\n`)
console.log(
  table(
    ['', 'measured', 'goal', ''],
    verdicts.map(({ name, value, atMost, unit }) => [
      name,
      number(value),
      `≤ ${number(atMost)}${unit}`,
      value <= atMost ? 'reached' : 'missed',
    ]),
  ),
)
process.exit(options.check && verdicts.some(({ value, atMost }) => misses(value, { atMost })) ? 1 : 0)

function tableOfRoutes(): string {
  const rows = [...idle.keys()].map((route) => {
    const [calm, busy] = [p99(idle, route), p99(flooded, route)]
    const of = [p50(idle, route), calm, p50(flooded, route), busy, busy / calm]
    return [route, ...of.map(number)]
  })
  return table(['ms', 'idle p50', 'idle p99', 'flooded p50', 'flooded p99', 'ratio of p99'], rows)
}

function tableOfLogins(): string {
  const count = (status: number) => floods.reduce((sum, { statuses }) => sum + (statuses[status] ?? 0), 0)
  const all = floods.flatMap(({ statuses }) => Object.values(statuses)).reduce((sum, n) => sum + n, 0)
  const share = (n: number) => [String(n), `${((100 * n) / all).toFixed(1)} %`]
  return table(
    ['logins of the flood', 'answers', 'share'],
    [
      ['right, 200', ...share(count(200))],
      ['wrong, 401', ...share(count(401))],
      ['too many wrong, 429', ...share(count(429))],
      ['shed, 503', ...share(count(503))],
      ['anything else', ...share(all - count(200) - count(401) - count(429) - count(503))],
    ],
  )
}

function p50(latencies: Latencies, route: string): number {
  return quantile(latencies.get(route) ?? [], 0.5)
}

function p99(latencies: Latencies, route: string): number {
  return quantile(latencies.get(route) ?? [], 0.99)
}

function verdictsOnRoutes() {
  return [...idle.keys()].map((route) => ({
    name: `${route}: p99 in the flood`,
    value: p99(flooded, route),
    atMost: Math.max(GOALS.slower * p99(idle, route), GOALS.unnoticedMs),
    unit: ' ms',
  }))
}

function verdictsOnRefusals() {
  const refusals = floods.flatMap(({ refusalsMs }) => refusalsMs)
  const [mib, ms] = [' MiB', ' ms']
  return [
    {
      name: '`503 overloaded`, p50',
      value: quantile(refusals, 0.5),
      atMost: GOALS.refusedWithinMs,
      unit: ms,
    },
    {
      name: '`503 overloaded`, p99',
      value: quantile(refusals, 0.99),
      atMost: GOALS.refusedWithinMs,
      unit: ms,
    },
    {
      name: `memory at its highest (${number(before.rssBytes / 2 ** 20)} MiB before)`,
      value: after.peakRssBytes / 2 ** 20,
      atMost: GOALS.memoryMib,
      unit: mib,
    },
  ]
}

function verdictsOnFairness() {
  const { served, servedAtHome, aloneMs, duringImportedMs } = fairness
  const refused = { atMost: GOALS.refusedOfTen, unit: ' of 10' }
  return [
    {
      name: 'logins of a neighbour refused during a crowd from one /32',
      value: 10 * (1 - served),
      ...refused,
    },
    { name: 'the same of a person at home in that /32', value: 10 * (1 - servedAtHome), ...refused },
    {
      name: `login during tries at imported hashes / alone (${number(aloneMs)} ms), p50`,
      value: duringImportedMs / aloneMs,
      atMost: GOALS.duringImported,
      unit: '',
    },
  ]
}
