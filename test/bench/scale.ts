import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { readConfig } from '../../src/config.ts'
import { loadArgon2Engine } from '../../src/crypto/argon2-engine.ts'
import { type Cluster, IN_EARNEST } from '../helpers/programs/postgres.ts'
import type { Lifetime } from '../helpers/programs/process.ts'
import { type Remote, remote } from '../helpers/programs/remote.ts'
import {
  type Replica,
  type Scale,
  type ScaleOptions,
  scaleMissing,
  startScale,
} from '../helpers/programs/scale.ts'
import { CHEAP_HASHES, PASSWORD } from '../helpers/service/service.ts'
import { join, logIn, type Person } from './journeys.ts'
import { processTimes, processTree } from './process-times.ts'

/**
 * How many people join and log in each second through nginx at one, two and three replicas on this machine, against
 * the hashes that it can do at all; what each costs each part of the service in CPU time; and what stays of them in
 * the database. PostgreSQL runs with fsync, as it does in earnest. At last, how long people wait for a Redis that is
 * silent, and for each part that was killed and is back.
 *
 *   npm run bench:scale -- [--seconds 10] [--clients 16] [--accounts 2000]
 */

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    clients: { type: 'string', default: '16' },
    accounts: { type: 'string', default: '2000' },
  },
})
const [seconds, clients, accounts] = [values.seconds, values.clients, values.accounts].map(Number) as [
  number,
  number,
  number,
]
/** Code that has run often is compiled. */
const WARM_UP_SECONDS = 3
let addresses = 0

if (scaleMissing) throw new Error(scaleMissing)
console.log(`${availableParallelism()} cores; ${clients} clients, which run here too; ${seconds} s each`)
const hashes = await rawHashes()
console.log(`hashes alone: ${hashes.rate.toFixed(1)}/s, ${hashes.cpuMs.toFixed(1)} ms of CPU each`)
const { memoryKib, passes } = readConfig({}).argon2
const environment = { ARGON2_MEMORY_KIB: String(memoryKib), ARGON2_TIME: String(passes) }
for (const replicas of [1, 2, 3])
  await withScale({ replicas, environment }, (scale) => measure(scale, replicas))
await withScale({ replicas: 1, environment: CHEAP_HASHES }, measureRows)
await withScale({ replicas: 2, environment: CHEAP_HASHES }, measureFaults)

async function withScale(options: ScaleOptions, work: (scale: Scale) => Promise<void>): Promise<void> {
  const endings: (() => unknown)[] = []
  const lifetime: Lifetime = { teardown: (ending: () => unknown) => void endings.unshift(ending) } as Lifetime
  try {
    await work(await startScale(lifetime, { ...options, settings: IN_EARNEST }))
  } finally {
    for (const end of endings) await end()
  }
}

async function measure(scale: Scale, replicas: number): Promise<void> {
  const people: Person[] = []
  const joinOne = async () => void people.push(await join(newClient(scale)))
  await repeat(joinOne, () => true, WARM_UP_SECONDS)
  const joined = await run(scale, joinOne, () => true)
  const waiting = [...people]
  const logInOne = async () => logIn(newClient(scale), waiting.pop() as Person)
  const loggedIn = await run(scale, logInOne, () => waiting.length > 0)

  const flows = 1 / (1 / joined.rate + 1 / loggedIn.rate)
  const share = percent(flows / (hashes.rate / 2))
  console.log(`\n${replicas} of them: ${flows.toFixed(1)} whole flows/s, ${share} of what two hashes allow`)
  for (const [what, { rate, times, each }] of Object.entries({ 'join  ': joined, 'log in': loggedIn })) {
    const pace = `${rate.toFixed(1)}/s, median ${quantile(times, 0.5)} ms, 99 % ${quantile(times, 0.99)} ms`
    const costs = Object.entries(each).map(([part, cost]) => `${part} ${cost.toFixed(1)}`)
    console.log(`  ${what}: ${pace}; each costs ${costs.join(', ')}`)
  }
}

/** How fast it went, how long each took in ms, and what it cost. */
async function run(scale: Scale, work: () => Promise<void>, more: () => boolean) {
  const before = await costs(scale)
  const began = performance.now()
  const times = await repeat(work, more, seconds)
  const elapsed = performance.now() - began
  const after = await costs(scale)
  const each = Object.entries(after).map(([part, cost]) => [
    part,
    (cost - (before[part] ?? 0)) / times.length,
  ])
  return { rate: (times.length / elapsed) * 1000, times, each: Object.fromEntries(each) as typeof after }
}

/** Does something as often as the clients can, for as long as there is something to do. */
async function repeat(work: () => Promise<void>, more: () => boolean, forSeconds: number): Promise<number[]> {
  const times: number[] = []
  const end = performance.now() + forSeconds * 1000
  const client = async () => {
    while (more() && performance.now() < end) {
      const start = performance.now()
      await work()
      times.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return times
}

/** An address of this machine for each, so that no limit is met. */
function newClient({ url }: Pick<Scale, 'url'>): Remote {
  addresses++
  return remote(url, { from: `127.${20 + (addresses >> 16)}.${(addresses >> 8) & 255}.${addresses & 255}` })
}

async function rawHashes(): Promise<{ rate: number; cpuMs: number }> {
  const { argon2, hashEngine } = readConfig({})
  const engine = await loadArgon2Engine(hashEngine)
  let done = 0
  const cpu = process.cpuUsage()
  const began = performance.now()
  const thread = async () => {
    while (performance.now() - began < seconds * 1000) {
      await engine.hash(PASSWORD, argon2)
      done++
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, thread))
  const { user, system } = process.cpuUsage(cpu)
  return { rate: (done / (performance.now() - began)) * 1000, cpuMs: (user + system) / 1000 / done }
}

/** What the service has cost so far: CPU time of each part in ms, transactions, and KiB of the write-ahead log. */
async function costs({ cluster }: Scale): Promise<Record<string, number>> {
  const { rows } = await query(
    cluster,
    `select pg_current_wal_lsn() - '0/0' as wal, sum(xact_commit)::float8 as commits from pg_stat_database`,
  )
  const [{ wal, commits }] = rows
  return { ...cpuByPart(), commits, 'WAL KiB': wal / 1024 }
}

/** CPU time in ms, of the processes that this one has started and of theirs. */
function cpuByPart(): Record<string, number> {
  const parts = {
    'replicas ms': 0,
    'their main threads ms': 0,
    'postgres ms': 0,
    'nginx ms': 0,
    'redis ms': 0,
  }
  for (const [pid, { name, ms }] of processTree(process.pid)) {
    if (pid === process.pid) continue
    const part = /postgres|nginx|redis/.exec(name)?.[0] as 'postgres' | 'nginx' | 'redis' | undefined
    parts[`${part ?? 'replicas'} ms`] += ms
    if (!part) parts['their main threads ms'] += processTimes(`${pid}/task/${pid}`)?.ms ?? 0
  }
  return parts
}

/** What stays in the database of people who have joined and logged in once. */
async function measureRows(scale: Scale): Promise<void> {
  const waiting = Array.from({ length: accounts }, () => join)
  const client = async () => {
    while (waiting.pop()) await logIn(newClient(scale), await join(newClient(scale)))
  }
  await Promise.all(Array.from({ length: clients }, client))
  await query(scale.cluster, 'vacuum full analyze')
  const { rows } = await query(
    scale.cluster,
    `select relname as name, reltuples::int as rows, pg_table_size(oid) as heap, pg_indexes_size(oid) as indexes
       from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and reltuples > 100 order by relname`,
  )
  console.log(`\nAfter ${accounts} people have joined and logged in once, bytes by row: table + indexes`)
  for (const { name, rows: count, heap, indexes } of rows)
    console.log(
      `  ${name.padEnd(20)} ${(count / accounts).toFixed(1).padStart(5)} rows each, ${Math.round(heap / count)} + ${Math.round(indexes / count)}`,
    )
}

/** What docs/scaling.md says of waiting when a part is away. */
async function measureFaults(scale: Scale): Promise<void> {
  const { redis, cluster, replicas } = scale
  const [replica] = replicas as [Replica]
  const knock = async () => {
    const began = performance.now()
    await newClient(replica).post('/login', {})
    return performance.now() - began
  }
  const longest = async () =>
    Math.max(
      ...(await repeat(
        async () => void (await knock()),
        () => true,
        1,
      )),
    )
  console.log('\nThe longest of the requests of one second to one replica')
  console.log(`  with Redis: ${Math.round(await longest())} ms`)
  redis.freeze()
  console.log(`  with a Redis that falls silent: ${Math.round(await longest())} ms`)
  redis.goOn()

  const backAfter = async (what: string, start: () => Promise<void>, isBack: () => Promise<boolean>) => {
    await start()
    const began = performance.now()
    while (!(await isBack())) await sleep(5)
    console.log(`  ${what}: ${Math.round(performance.now() - began)} ms`)
  }
  const checks = async () => (await newClient(replica).get('/readyz')).body.checks
  console.log('From the moment that a part is there again until the service uses it')
  await redis.kill()
  await knock()
  await backAfter('Redis', redis.start, async () => (await checks()).redis === 'ok')
  const restart = () => cluster.restart('SIGQUIT')
  await backAfter('PostgreSQL', restart, async () => (await checks()).database === 'ok')
}

async function query({ url }: Cluster, statement: string) {
  const client = new pg.Client(url('keyturn'))
  await client.connect()
  try {
    return await client.query(statement)
  } finally {
    await client.end()
  }
}

function quantile(times: number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  return Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0)
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
