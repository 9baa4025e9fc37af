import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { prepareServer, SERVER_VARIABLE } from './helpers/database.ts'
import { type Cluster, postgresPrograms, startCluster } from './helpers/postgres.ts'

/** Runs the tests, or those that are named, on SQLite and again on a PostgreSQL server that is started for them. */

/** It makes no difference to these what keeps the rows: they run once. */
const ON_SQLITE_ALONE = [
  'test/config.test.ts',
  'test/crypto/**',
  'test/documents.test.ts',
  'test/e2e/**',
  'test/faults/{disk,fsync,kill,kill.long}.test.ts',
  'test/http/**',
  'test/openapi.test.ts',
  'test/operator/{cli.test,doctor*.test,help.long.test,import-many.long.test,private-file.test}.ts',
  'test/platform/busy-database.test.ts',
  'test/platform/{database-errors,ids}.test.ts',
  'test/platform/sqlite*.test.ts',
  'test/start.test.ts',
]

/** About PostgreSQL itself. */
const ON_POSTGRES_ALONE = ['test/platform/postgres-*.test.ts']

const asked = process.argv.slice(2)
const files =
  asked.length > 0
    ? ours(asked)
    : ours(['test/**/*.test.ts']).filter((file) => !file.endsWith('.long.test.ts'))

let running: ChildProcess | undefined
let cluster: Cluster | undefined
let interrupted = false

// The tests end first, on the same signal, and then what they ran on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    interrupted = true
    running?.kill(signal)
  })

const failures = [await runTap(ON_POSTGRES_ALONE, {})]
if (!interrupted) failures.push(postgresPrograms() ? await runOnPostgres() : skipPostgres())
process.exitCode = failures.includes(true) || interrupted ? 1 : 0

/** Not those of what is installed to be measured beside the product. */
function ours(patterns: string[]): string[] {
  return globSync(patterns, { exclude: ['**/node_modules/**'] })
}

/** @returns whether something failed. */
async function runTap(excluded: string[], environment: Record<string, string>): Promise<boolean> {
  // Not by tap's own --exclude, which does not hold for files that are named.
  const left = new Set(globSync(excluded))
  const chosen = files.filter((file) => !left.has(file))
  if (chosen.length === 0) return false
  running = spawn('tap', chosen.sort(), {
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  })
  const [code] = await once(running, 'exit')
  return code !== 0
}

async function runOnPostgres(): Promise<boolean> {
  console.log('\nOn PostgreSQL:')
  cluster = await startCluster()
  try {
    const server = cluster.url('postgres')
    await prepareServer(server)
    return (
      interrupted || (await runTap(ON_SQLITE_ALONE, { TEST_DATABASE: 'postgres', [SERVER_VARIABLE]: server }))
    )
  } finally {
    await cluster.stop()
  }
}

/** In the form of tap's own results, so that whoever counts them counts it. */
function skipPostgres(): boolean {
  console.log('\nok - the tests on PostgreSQL # SKIP PostgreSQL is not installed (Debian: postgresql)')
  console.log('# { total: 1, skip: 1 }')
  return false
}
