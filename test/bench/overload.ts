/** `npm run bench:overload`: what those who do nothing wrong notice while others flood `POST /login`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { openConnection } from './connection.ts'
import { quantile } from './figures.ts'
import type { FloodFigures } from './flood.ts'
import { misses } from './goals.ts'
import { type Keyturn, startKeyturn } from './keyturn.ts'
import { describeMachine, number, table } from './report.ts'
import { pausing, type Step } from './slice.ts'

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

const GOALS = { slower: 5, refusedWithinMs: 100, memoryMib: 256 }

const ACCOUNTS = 20_000
/** Until all clients of the flood are at it, and it has its own start behind it. */
const RAMP_MS = 1500
/** So that the probes are no load themselves. */
const BETWEEN_PROBES_MS = 4

type Latencies = Map<string, number[]>

const folder = mkdtempSync(`${tmpdir()}/keyturn-overload-`)
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

const keyturn = await startKeyturn(`${folder}/keyturn`, { accounts: ACCOUNTS, sessionsEach: 1 })
const idle: Latencies = new Map()
const flooded: Latencies = new Map()
const floods: FloodFigures[] = []
// The first turn warms up.
await probe(keyturn, new Map())
const before = await keyturn.server.usage('begin')
for (let turn = 0; turn < options.turns; turn += 1) {
  await probe(keyturn, idle)
  const flood = await startFlood(keyturn.server.port)
  await probe(keyturn, flooded)
  floods.push(await flood.stop())
}
const after = await keyturn.server.usage('end')
await keyturn.stop()
const verdicts = [...verdictsOnRoutes(), ...verdictsOnRefusals()]
console.log(`${describeMachine()}; ${options.clients} clients flood, ${options.turns} turns\n`)
console.log(`${tableOfRoutes()}\n\n${tableOfLogins()}\n`)
console.log(
  table(
    ['', 'measured', 'goal', ''],
    verdicts.map(({ name, value, atMost, unit }) => [
      name,
      number(value),
      `≤ ${atMost}${unit}`,
      value <= atMost ? 'reached' : 'missed',
    ]),
  ),
)
process.exit(options.check && verdicts.some(({ value, atMost }) => misses(value, { atMost })) ? 1 : 0)

/** One client, one request at a time, each route in its turn. */
async function probe({ prepare, server }: Keyturn, into: Latencies): Promise<void> {
  const jwks: Step = async (connection) => {
    const { status } = await connection.send({ method: 'GET', path: '/.well-known/jwks.json' })
    if (status !== 200) throw new Error(`/.well-known/jwks.json answered ${status}`)
  }
  const steps: [string, Step][] = [
    ['`GET /me`', await prepare('me', options.probes)],
    ['`GET /.well-known/jwks.json`', jwks],
    ['`POST /token/refresh`', await prepare('refresh', options.probes)],
    ['`POST /2fa/verify`', await prepare('verify', options.probes)],
  ]
  const connection = await openConnection(server.port)
  for (let round = 0; round < options.probes; round += 1)
    for (const [route, step] of steps) {
      const startedAt = performance.now()
      await step(connection)
      const latencies = into.get(route) ?? []
      into.set(route, latencies)
      latencies.push(performance.now() - startedAt)
      await pausing(BETWEEN_PROBES_MS)
    }
  connection.close()
}

async function startFlood(port: number): Promise<{ stop(): Promise<FloodFigures> }> {
  const script = fileURLToPath(new URL('flood.ts', import.meta.url))
  const flood = spawn(process.execPath, [script, ...[port, options.clients, ACCOUNTS].map(String)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  process.once('exit', () => flood.kill('SIGKILL'))
  flood.once('exit', (code) => {
    if (code !== 0) throw new Error(`the flood ended with ${code}`)
  })
  await pausing(RAMP_MS)
  flood.send('count')
  return {
    async stop() {
      const told = once(flood, 'message')
      flood.send('stop')
      return (await told)[0] as FloodFigures
    },
  }
}

function tableOfRoutes(): string {
  const rows = [...idle].map(([route, calm]) => {
    const busy = flooded.get(route) ?? []
    const of = [quantile(calm, 0.5), quantile(calm, 0.99), quantile(busy, 0.5), quantile(busy, 0.99)]
    return [route, ...of.map(number), number(slower(route))]
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

function slower(route: string): number {
  return quantile(flooded.get(route) ?? [], 0.99) / quantile(idle.get(route) ?? [], 0.99)
}

function verdictsOnRoutes() {
  return [...idle.keys()].map((route) => ({
    name: `${route}: p99 flooded / idle`,
    value: slower(route),
    atMost: GOALS.slower,
    unit: '',
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
