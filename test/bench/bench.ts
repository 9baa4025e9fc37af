/** `npm run bench`: what the service does in a second, and what that is of what could be done. For people, not for CI. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { SingleBar } from 'cli-progress'
import { Command, InvalidArgumentError } from 'commander'
import { figuresOf } from './figures.ts'
import { judge, type RunFigures, type Starts } from './goals.ts'
import { measureGrowth } from './growth.ts'
import { type Keyturn, NODE_OPTIONS, startKeyturn } from './keyturn.ts'
import { startAndEnd } from './measured-process.ts'
import { describeMachine, markdownOf } from './report.ts'
import { bareRoutes, PEERS, productSubjects, rawHash, type Subject, startLibraries } from './subjects.ts'

const RESULTS = fileURLToPath(new URL('results', import.meta.url))

interface Options {
  seconds: number
  runs: number
  clients: number
  only?: string[]
  peer?: string[]
  check?: boolean
  growth?: boolean | string
  postgres?: boolean
}

const positive = (text: string) => {
  const value = Number(text)
  if (value > 0) return value
  throw new InvalidArgumentError('It must be a number above 0.')
}

const peers = (text: string, before: string[] = []) => {
  const names = text.split(',')
  if (names.every((name) => PEERS.has(name))) return [...new Set([...before, ...names])]
  throw new InvalidArgumentError(`There are ${[...PEERS.keys()].join(' and ')}.`)
}

const options = new Command('bench')
  .description('Measures the service and, turn by turn in the same run, what its rates are compared with.')
  .option('--seconds <n>', 'how long each is measured in a run', positive, 4)
  .option('--runs <n>', 'how many runs', positive, 3)
  .option('--clients <n>', 'how many clients ask at once', positive, 8)
  .option('--only <ids>', 'some of them, by their ids and separated by commas', (text) => text.split(','))
  .option('--peer <names>', `measure other products as well: ${[...PEERS.keys()].join(',')}`, peers)
  .option('--check', 'exit with 1 when a goal is missed by more than a tenth')
  .option('--growth [accounts]', 'instead: latencies with 1000 accounts and with more, up to so many')
  .option('--postgres', 'for --growth: on PostgreSQL instead of SQLite')
  .parse()
  .opts<Options>()

/** Short, so that whatever else the machine does meets all of them alike. */
const SLICE_SECONDS = 2
const WARM_UP_SECONDS = 1
/** Until what a start needed is given back. */
const IDLE_MS = 5000
const ACCOUNTS = { accounts: 30_000, sessionsEach: 1 }

const folder = mkdtempSync(`${tmpdir()}/keyturn-bench-`)
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
if (options.growth) {
  const most = Number(options.growth) || 100_000
  console.log(await measureGrowth(folder, { most, onPostgres: options.postgres === true }))
} else await measureRates()
process.exit()

async function measureRates(): Promise<void> {
  const others = [await rawHash(folder), await bareRoutes(folder)]
  for (const [name, start] of PEERS) if (options.peer?.includes(name)) others.push(await start(folder))
  const keyturn = await startKeyturn(`${folder}/keyturn`, ACCOUNTS)
  const all = [...productSubjects(keyturn), ...others.flatMap(({ list }) => list)]
  const subjects = all.filter(({ id }) => !options.only || options.only.includes(id))

  const runs = await measureRuns(subjects, () => measureStarts(keyturn))
  const labels = new Map(subjects.map(({ id, label }) => [id, label]))
  const verdicts = judge(runs)
  const markdown = `${describeMachine()}; ${options.clients} clients, ${options.runs} runs of ${options.seconds} s each\n\n${markdownOf(labels, runs, verdicts)}\n`
  console.log(markdown)

  const name = `${RESULTS}/${new Date().toISOString().slice(0, 19).replaceAll(':', '')}`
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(`${name}.md`, markdown)
  const figures = runs.map(({ rates, starts }) => ({ ...Object.fromEntries(rates), ...starts }))
  writeFileSync(
    `${name}.json`,
    JSON.stringify({ machine: describeMachine(), options, figures, verdicts }, null, 2),
  )

  await Promise.all([keyturn.stop(), ...others.map(({ stop }) => stop())])
  if (options.check && verdicts.some(({ fails }) => fails)) process.exitCode = 1
}

async function measureStarts({ restart }: Keyturn): Promise<Starts> {
  const { readyMs, usage } = await restart(IDLE_MS)
  const libraries = await startAndEnd(() => startLibraries(folder, NODE_OPTIONS), IDLE_MS)
  return { readyMs, idleMib: usage.rssBytes / 2 ** 20, librariesMib: libraries.usage.rssBytes / 2 ** 20 }
}

/** Every subject has its turn in each pass, and the passes of a run make its figures. */
async function measureRuns(
  subjects: readonly Subject[],
  starts: () => Promise<Starts>,
): Promise<RunFigures[]> {
  const passes = Math.max(1, Math.round(options.seconds / SLICE_SECONDS))
  const seconds = options.seconds / passes
  const bar = new SingleBar({ format: '{bar} {percentage}% | {what} | {eta_formatted} left' })
  bar.start(subjects.length * (1 + options.runs * passes), 0, { what: 'warm-up' })
  const turn = async (subject: Subject, length: number, what: string) => {
    bar.update({ what: `${what}: ${subject.id}` })
    const slice = await subject.slice({ clients: options.clients, seconds: length })
    bar.increment()
    return slice
  }

  for (const subject of subjects) await turn(subject, WARM_UP_SECONDS, 'warm-up')
  const runs: RunFigures[] = []
  while (runs.length < options.runs) {
    const slices = new Map(subjects.map(({ id }) => [id, [] as Awaited<ReturnType<Subject['slice']>>[]]))
    for (let pass = 0; pass < passes; pass += 1)
      for (const subject of subjects)
        slices.get(subject.id)?.push(await turn(subject, seconds, `run ${runs.length + 1}`))
    runs.push({
      rates: new Map([...slices].map(([id, all]) => [id, figuresOf(all)])),
      starts: options.only ? undefined : await starts(),
    })
  }
  bar.stop()
  return runs
}
