import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { measureHash } from '../../src/cli/commands/tune.ts'
import { readConfig } from '../../src/config.ts'
import { loadArgon2Engine } from '../../src/crypto/argon2-engine.ts'
import { childOptions } from '../helpers/programs/child-environment.ts'
import { freePort } from '../helpers/programs/free-port.ts'
import { startPgbouncer } from '../helpers/programs/pgbouncer.ts'
import { IN_EARNEST, startCluster } from '../helpers/programs/postgres.ts'
import type { Lifetime } from '../helpers/programs/process.ts'
import { type Remote, remote } from '../helpers/programs/remote.ts'
import { CHEAP_HASHES } from '../helpers/service/service.ts'
import { quantile } from './figures.ts'
import { join, logIn, type Person } from './journeys.ts'
import { processTimes, processTree } from './process-times.ts'

/**
 * What a person who joins and one who logs in cost the main thread of one replica, and PostgreSQL: of this version and
 * of others in turn, on one machine. It says CPU time, which a busy machine changes little, and compares the main thread
 * with one hash at the default cost: where a login takes half of one, a replica keeps two cores hashing.
 *
 *   npm run bench:versions -- [--rounds 6] [--people 200] [--clients 8] [--pooler] [folder of another version …]
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '6' },
    people: { type: 'string', default: '200' },
    clients: { type: 'string', default: '8' },
    pooler: { type: 'boolean', default: false },
  },
})
const [rounds, people, clients] = [values.rounds, values.people, values.clients].map(Number) as [
  number,
  number,
  number,
]

interface Version {
  folder: string
  service: Remote
  pid: number
  postmaster: number
}

const endings: (() => unknown)[] = []
const lifetime = { teardown: (ending: () => unknown) => void endings.unshift(ending) } as Lifetime
try {
  const versions: Version[] = []
  for (const folder of ['.', ...positionals]) versions.push(await start(resolve(folder)))
  const figures = new Map<string, number[][]>()
  for (let round = -rounds; round < rounds; round++)
    for (const version of versions) {
      const joined: Person[] = []
      const joining = await cost(version, async () => void joined.push(await join(version.service)))
      const loggingIn = await cost(version, () => logIn(version.service, joined.pop() as Person))
      // Before, it warms up: V8 goes on optimizing for thousands of logins.
      if (round < 0) continue
      for (const [what, numbers] of Object.entries({ join: joining, 'log in': loggingIn })) {
        const key = keyOf(what, version.folder)
        figures.set(key, [...(figures.get(key) ?? []), numbers])
      }
    }
  console.log(
    'median [least, most] of the rounds, each in ms: CPU of the main thread, of the replica, of PostgreSQL; elapsed',
  )
  for (const [key, list] of [...figures].sort())
    console.log(`${key}: ${[0, 1, 2, 3].map((at) => spread(list.map((it) => it[at] as number))).join('  ')}`)
  const hashMs = await measureHash(await loadArgon2Engine('node-rs'), readConfig({}).argon2)
  console.log(`one hash: ${hashMs.toFixed(2)}`)
  for (const { folder } of versions) {
    const mainMs = (figures.get(keyOf('log in', folder)) ?? []).map(([main]) => main as number)
    console.log(`main thread of a login / one hash: ${(quantile(mainMs, 0.5) / hashMs).toFixed(2)} ${folder}`)
  }
} finally {
  for (const end of endings) await end()
}

async function start(folder: string): Promise<Version> {
  const cluster = await startCluster(IN_EARNEST)
  lifetime.teardown(() => cluster.stop())
  await cluster.execute('create database keyturn')
  const own = cluster.url('keyturn')
  const PORT = String(await freePort())
  const environment = {
    ...CHEAP_HASHES,
    RATE_LIMIT: 'off',
    SECRET_KEY: randomBytes(32).toString('base64'),
    DATABASE_URL: own,
    PORT,
  }
  const { scripts } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
  const run = (script: string, also = {}) => {
    const { env } = childOptions({ ...environment, ...also })
    const PATH = `${folder}/node_modules/.bin:${env.PATH}`
    const command = `exec ${script.replace(/^exec /, '')}`
    const child = spawn('sh', ['-c', command], {
      cwd: folder,
      env: { ...env, PATH },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    lifetime.teardown(async () => {
      if (child.exitCode !== null) return
      child.kill('SIGINT')
      await once(child, 'exit')
    })
    return child
  }
  const [code] = await once(run(`${scripts.migrate} up`), 'exit')
  if (code !== 0) throw new Error(`${folder} did not migrate`)
  const DATABASE_URL = values.pooler ? await startPgbouncer(lifetime, own, 'transaction') : own
  const { pid = 0 } = run(scripts.start, { DATABASE_URL })
  const url = `http://127.0.0.1:${PORT}`
  while (!(await fetch(`${url}/readyz`).catch(() => ({ ok: false }))).ok) await sleep(50)
  const folderOf = new URL(own).searchParams.get('host')
  const postmaster = Number.parseInt(readFileSync(`${folderOf}/data/postmaster.pid`, 'utf8'), 10)
  return { folder, service: remote(url), pid, postmaster }
}

function keyOf(what: string, folder: string): string {
  return `${what.padEnd(6)} ${folder}`
}

/** @returns for each of `people` times ms of CPU of the main thread, of the process, of PostgreSQL, and ms at all. */
async function cost(version: Version, work: () => Promise<void>): Promise<number[]> {
  const before = cpu(version)
  let left = people
  const client = async () => {
    while (left-- > 0) await work()
  }
  await Promise.all(Array.from({ length: clients }, client))
  return cpu(version).map((now, at) => (now - (before[at] as number)) / people)
}

function cpu({ pid, postmaster }: Version): number[] {
  const server = [...processTree(postmaster).values()].reduce((sum, { ms, ofEnded }) => sum + ms + ofEnded, 0)
  return [
    Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6,
    processTimes(String(pid))?.ms ?? 0,
    server,
    performance.now(),
  ]
}

function spread(numbers: number[]): string {
  const at = (share: number) => quantile(numbers, share).toFixed(2)
  return `${at(0.5)} [${at(0)}, ${at(1)}]`
}
