/**
 * `node test/bench/cleverness.ts [names]`: what the clever pieces of the source gain. The service runs as it is shipped
 * and without one piece, turn by turn in one run, and the median of the turns' ratios counts.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { SingleBar } from 'cli-progress'
import { Argument, Command, InvalidArgumentError } from 'commander'
import { v7 } from 'uuid'
import { systemClock } from '../../src/platform/clock.ts'
import { newId } from '../../src/platform/ids.ts'
import { median, quantile } from './figures.ts'
import { type Keyturn, type Scenario, startKeyturn } from './keyturn.ts'
import { startMeasured } from './measured-process.ts'
import { type Latencies, probe, startFlood } from './probing.ts'
import { describeMachine, number, table } from './report.ts'
import { measureSlice } from './slice.ts'

type Figures = Record<string, number>

interface Piece {
  /** Measures once as it is shipped, or without the piece. */
  measure(shipped: boolean): Promise<Figures>
  stop?(): Promise<void>
}

/** Text of a source file, and what stands there without the piece. */
interface Cut {
  file: string
  from: string
  to: string
}

/** How a service without the piece is started. */
interface Without {
  cut?: Cut
  nodeOptions?: (asShipped: string[]) => string[]
  environment?: Record<string, string>
}

const PIECES: Record<string, () => Promise<Piece>> = {
  concurrency: () =>
    service(worked('login', 'me'), { environment: { HASH_CONCURRENCY: String(4 * availableParallelism()) } }),
  'flood-cores': () =>
    service(flooded, {
      cut: {
        file: 'src/crypto/hash-queue.ts',
        from: 'pressure > FLOOD ? inFlood : concurrency',
        to: 'concurrency',
      },
    }),
  hold: () =>
    service(flooded, {
      cut: { file: 'src/crypto/hash-queue.ts', from: 'least: 50, most: 80', to: 'least: 1, most: 2' },
    }),
  priority: () =>
    service(flooded, {
      cut: { file: 'src/crypto/thread-pool.ts', from: "process.platform !== 'linux'", to: 'true' },
    }),
  'compile-cache': () =>
    service(started, {
      cut: { file: 'src/cli/keyturn.js', from: 'nodeModule.enableCompileCache(', to: 'void (' },
    }),
  'semi-space': () =>
    service(worked('me', 'refresh', 'verify', 'login'), {
      nodeOptions: (options) => options.filter((option) => !option.startsWith('--max-semi-space-size')),
    }),
  'log-turns': logTurns,
  ids,
}

const positive = (text: string) => {
  const value = Number(text)
  if (value > 0) return value
  throw new InvalidArgumentError('It must be a number above 0.')
}

const command = new Command('cleverness')
  .description('Measures what clever pieces of the source gain.')
  .addArgument(
    new Argument('[names...]', 'which of them; all, if none is named').choices(Object.keys(PIECES)),
  )
  .option('--turns <n>', 'how many turns with each piece, and as many without', positive, 7)
  .option('--seconds <n>', 'how long a route is asked in a turn', positive, 1)
  .parse()
const { turns, seconds } = command.opts<{ turns: number; seconds: number }>()
const names = command.args.length > 0 ? command.args : Object.keys(PIECES)

const ACCOUNTS = 20_000
const CLIENTS = { working: 8, flooding: 150 }
const PROBES = 100

const folder = mkdtempSync(`${tmpdir()}/keyturn-cleverness-`)
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

console.log(`${describeMachine()}; ${turns} turns`)
for (const name of names)
  console.log(`\n${name}\n\n${await compare(await (PIECES[name] as () => Promise<Piece>)())}`)
process.exit()

/** @returns a table with a row for each figure. */
async function compare({ measure, stop }: Piece): Promise<string> {
  const bar = new SingleBar({ format: '{bar} {percentage}% | {eta_formatted} left' })
  bar.start(2 * (turns + 1), 0)
  const shipped: Figures[] = []
  const without: Figures[] = []
  for (let turn = 0; turn <= turns; turn += 1)
    // The other one first each time: what one turn leaves behind meets both alike.
    for (const asShipped of turn % 2 ? [true, false] : [false, true]) {
      const figures = await measure(asShipped)
      // The first turn warms up.
      if (turn > 0) (asShipped ? shipped : without).push(figures)
      bar.increment()
    }
  bar.stop()
  await stop?.()
  const rows = Object.keys(shipped[0] ?? {}).map((figure) => {
    const of = (all: Figures[]) => all.map((figures) => figures[figure] as number)
    const ratios = of(shipped).map((value, turn) => value / (of(without)[turn] as number))
    const spread = [quantile(ratios, 0.25), quantile(ratios, 0.75)].map(number).join(' to ')
    return [figure, number(median(of(shipped))), number(median(of(without))), number(median(ratios)), spread]
  })
  return table(['', 'shipped', 'without', 'ratio', 'of half the turns'], rows)
}

/** The options of `node` and the environment for a process without some text of the source. */
function cutting({ file, from, to }: Cut) {
  const preload = fileURLToPath(new URL('cut.mjs', import.meta.url))
  return { options: ['--import', preload], environment: { CUT: JSON.stringify({ file, from, to }) } }
}

/** Two services, one of them without the piece, each with a database of its own. */
async function service(
  measure: (keyturn: Keyturn) => Promise<Figures>,
  { cut, nodeOptions, environment }: Without,
): Promise<Piece> {
  const seeding = { accounts: ACCOUNTS, sessionsEach: 1 }
  const shipped = await startKeyturn(`${folder}/shipped`, seeding)
  const without = await startKeyturn(`${folder}/without`, {
    ...seeding,
    ...(nodeOptions && { nodeOptions }),
    ...(environment && { environment }),
    ...(cut && {
      nodeOptions: (options) => [...cutting(cut).options, ...options],
      environment: cutting(cut).environment,
    }),
  })
  return {
    measure: (asShipped) => measure(asShipped ? shipped : without),
    async stop() {
      for (const keyturn of [shipped, without]) await keyturn.stop()
      rmSync(folder, { recursive: true })
    },
  }
}

async function started(keyturn: Keyturn): Promise<Figures> {
  const { readyMs, usage } = await keyturn.restart()
  return {
    'ms until ready': readyMs,
    'CPU ms until ready': usage.cpuMs,
    'MiB when ready': mib(usage.rssBytes),
  }
}

function worked(...scenarios: Scenario[]): (keyturn: Keyturn) => Promise<Figures> {
  return async ({ prepare, server }) => {
    const figures: Figures = {}
    for (const scenario of scenarios) {
      const step = await prepare(scenario, 2000 * seconds)
      const slice = await measureSlice(server, step, { clients: CLIENTS.working, seconds })
      figures[`${scenario}: CPU ms each`] = slice.cpuMs / slice.steps
      figures[`${scenario}: a second`] = slice.steps / slice.seconds
      figures[`${scenario}: p99 ms`] = quantile(slice.latenciesMs, 0.99)
    }
    const { rssBytes, peakRssBytes } = await server.usage('end')
    return { ...figures, MiB: mib(rssBytes), 'MiB at most': mib(peakRssBytes) }
  }
}

async function flooded(keyturn: Keyturn): Promise<Figures> {
  const flood = await startFlood(keyturn.server.port, { clients: CLIENTS.flooding, accounts: ACCOUNTS })
  const startedAt = performance.now()
  const latencies: Latencies = new Map()
  await probe(keyturn, PROBES, latencies)
  const { statuses } = await flood.stop()
  const seconds = (performance.now() - startedAt) / 1000
  const figures: Figures = {}
  for (const [route, ms] of latencies) {
    figures[`${route}: p50 ms`] = quantile(ms, 0.5)
    figures[`${route}: p99 ms`] = quantile(ms, 0.99)
  }
  const answers = Object.values(statuses).reduce((sum, count) => sum + count, 0)
  const refused = statuses[503] ?? 0
  return {
    ...figures,
    'hashes a second': (answers - refused) / seconds,
    'refusals a second': refused / seconds,
  }
}

async function logTurns(): Promise<Piece> {
  const cut = cutting({
    file: 'src/platform/logger.ts',
    from: "if (lines === '') setImmediate(flush)",
    to: 'output.write(line); return',
  })
  const start = (name: string, options: string[], environment: Record<string, string>) =>
    startMeasured({
      command: [...options, fileURLToPath(new URL('servers/log-lines.ts', import.meta.url))],
      environment,
      cwd: folder,
      logFile: `${folder}/${name}.log`,
      ready: null,
    })
  const shipped = await start('shipped', [], {})
  const without = await start('without', cut.options, cut.environment)
  return {
    async measure(asShipped) {
      const figures: Figures = {}
      for (const linesATurn of [1, 2, 8]) {
        const asked = { turns: 16_000 / linesATurn, linesATurn }
        const { usEach } = await (asShipped ? shipped : without).ask<{ usEach: number }>(asked)
        figures[`CPU us a line, ${linesATurn} in a turn`] = usEach
      }
      return figures
    },
    async stop() {
      await Promise.all([shipped.stop(), without.stop()])
    },
  }
}

async function ids(): Promise<Piece> {
  const MANY = 100_000
  // What is left when each id asks for its own random bytes.
  let seq = 0
  const unpooled = () => v7({ msecs: systemClock.now(), seq: seq++ })
  return {
    async measure(shipped) {
      const make = shipped ? () => newId(systemClock) : unpooled
      const startedAt = performance.now()
      for (let i = 0; i < MANY; i += 1) make()
      return { 'us each': ((performance.now() - startedAt) * 1000) / MANY }
    },
  }
}

function mib(bytes: number): number {
  return bytes / 2 ** 20
}
