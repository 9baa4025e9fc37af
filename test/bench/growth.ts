import { execFileSync } from 'node:child_process'
import { type Cluster, IN_EARNEST, startCluster } from '../helpers/programs/postgres.ts'
import { type Connection, openConnection } from './connection.ts'
import { median } from './figures.ts'
import { type Keyturn, type Scenario, startKeyturn } from './keyturn.ts'
import { describeMachine, number, table } from './report.ts'
import type { Step } from './slice.ts'

const SESSIONS_EACH = 10
const SMALLEST = 1000
/** So many accounts of each file are asked about, spread over all of it. */
const ASKED = 1000
/** One client: what a request takes, not what many take from each other. */
const STEPS = 100
const ROUNDS = 5
const SCENARIOS: Scenario[] = ['login', 'verify', 'refresh', 'introspect', 'me']

/**
 * The latencies of a service with few accounts and of services with many, turn by turn. @returns Markdown.
 *
 * @param most accounts of the largest database; those between grow by a hundred, and by ten at the end.
 */
export async function measureGrowth(
  folder: string,
  { most, onPostgres }: { most: number; onPostgres: boolean },
): Promise<string> {
  const sizes = [SMALLEST, 100_000, 1_000_000].filter((size) => size < most).concat(most)
  const cluster = onPostgres ? await startCluster(IN_EARNEST) : null
  const services: { size: number; keyturn: Keyturn; bytes: number }[] = []
  for (const size of sizes) {
    const usableEvery = Math.max(1, Math.floor(size / ASKED))
    const postgresUrl = cluster ? await newDatabase(cluster, size) : undefined
    const keyturn = await startKeyturn(`${folder}/${size}`, {
      accounts: size,
      sessionsEach: SESSIONS_EACH,
      usableEvery,
      ...(postgresUrl && { postgresUrl }),
    })
    services.push({ size, keyturn, bytes: await keyturn.databaseBytes() })
  }

  // What was written to make them is on the disk before anything is measured, and not while.
  execFileSync('sync')

  const p50 = new Map<string, number[]>()
  for (let round = 0; round <= ROUNDS; round += 1)
    for (const scenario of SCENARIOS)
      for (const { size, keyturn } of services) {
        const step = await keyturn.prepare(scenario, STEPS)
        const connection = await openConnection(keyturn.server.port)
        const ms = await medianOf(connection, step)
        connection.close()
        // The first round warms up.
        const key = `${scenario} ${size}`
        if (round > 0) p50.set(key, [...(p50.get(key) ?? []), ms])
      }

  const of = (scenario: string, size: number) => median(p50.get(`${scenario} ${size}`) ?? [])
  const rows = SCENARIOS.map((scenario) => [
    `${scenario}, p50 ms`,
    ...sizes.map((size) => number(of(scenario, size))),
    number(of(scenario, most) / of(scenario, SMALLEST)),
  ])
  const restarts = await Promise.all(services.map(({ keyturn }) => keyturn.restart()))
  const starts = restarts.map(({ readyMs }) => readyMs)
  const result = table(
    ['accounts, ten sessions each', ...sizes.map((size) => size.toLocaleString('en')), 'ratio'],
    [
      ...rows,
      ['ready after, ms', ...starts.map(number), number((starts.at(-1) as number) / (starts[0] as number))],
      ['database, MiB', ...services.map(({ bytes }) => number(bytes / 2 ** 20)), ''],
      ['accounts per GiB', ...services.map(({ bytes, size }) => number((size * 2 ** 30) / bytes)), ''],
    ],
  )
  for (const { keyturn } of services) await keyturn.stop()
  await cluster?.stop()
  return `${describeMachine()}; ${onPostgres ? 'PostgreSQL' : 'SQLite'}\n\n${result}`
}

async function newDatabase(cluster: Cluster, size: number): Promise<string> {
  const name = `accounts_${size}`
  await cluster.execute(`create database ${name}`)
  return cluster.url(name)
}

async function medianOf(connection: Connection, step: Step): Promise<number> {
  const times: number[] = []
  while (times.length < STEPS) {
    const startedAt = performance.now()
    await step(connection)
    times.push(performance.now() - startedAt)
  }
  return median(times)
}
