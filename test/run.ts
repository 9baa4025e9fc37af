import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, rmSync } from 'node:fs'
import { type Cluster, postgresPrograms, startCluster } from './helpers/programs/postgres.ts'
import { prepareServer, SERVER_VARIABLE } from './helpers/service/database.ts'
import { makeLanes } from './run/lanes.ts'

/**
 * Runs the tests, or those that are named: on SQLite, with `--postgres` on a PostgreSQL server that is started for
 * them, with both `--sqlite` and `--postgres` on one after the other.
 */

/** It makes no difference to these what keeps the rows: they run once. */
const ON_SQLITE_ALONE = [
  'test/config.test.ts',
  'test/crypto/**',
  'test/{document-code,documents,security-table}.test.ts',
  'test/e2e/**',
  'test/faults/{disk,fsync,kill,kill.long,small-disk.long,wrong-clock.long}.test.ts',
  'test/http/**',
  'test/mutants/**',
  'test/openapi.test.ts',
  'test/cli/{backup.long,build-hash.long,cli,closed-folder,copy,doctor*,help.long,import-many.long,import-readers,init,lost-database,mails,private-file,restore-full-disk}.test.ts',
  'test/platform/busy-database.test.ts',
  'test/platform/{database-errors,ids}.test.ts',
  'test/platform/sqlite*.test.ts',
  'test/start.test.ts',
]

/** About PostgreSQL itself. */
const ON_POSTGRES_ALONE = ['test/platform/postgres-*.test.ts']

const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const onPostgres = process.argv.includes('--postgres')
const onSqlite = process.argv.includes('--sqlite') || !onPostgres
const files =
  asked.length > 0
    ? ours(asked)
    : ours(['test/**/*.test.ts']).filter((file) => !file.endsWith('.long.test.ts'))

let running: ChildProcess | undefined
let interrupted = false

// The tests end first, on the same signal, and then what they ran on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    interrupted = true
    running?.kill(signal)
  })

const failures: boolean[] = []
if (onSqlite) failures.push(await runTap(ON_POSTGRES_ALONE, {}))
if (onPostgres && !interrupted) failures.push(postgresPrograms() ? await runOnPostgres() : skipPostgres())
process.exitCode = failures.includes(true) || interrupted ? 1 : 0
if (asked.length === 0) sayWhatElseThereIs()

/** Not those of what is installed to be measured beside the product. */
function ours(patterns: string[]): string[] {
  return globSync(patterns, { exclude: ['**/node_modules/**'] })
}

/** @returns whether something failed. */
async function runTap(excluded: string[], environment: Record<string, string>): Promise<boolean> {
  // Not by tap's own --exclude, which does not hold for files that are named.
  const left = new Set(globSync(excluded))
  const chosen = files.filter((file) => !left.has(file)).sort()
  if (chosen.length === 0) return false
  const lanes = makeLanes(chosen)
  try {
    running = spawn('tap', lanes.arguments, {
      stdio: 'inherit',
      env: { ...process.env, ...lanes.environment, ...environment },
    })
    const [code] = await once(running, 'exit')
    return code !== 0
  } finally {
    rmSync(lanes.folder, { recursive: true, force: true })
  }
}

async function runOnPostgres(): Promise<boolean> {
  console.log('\nOn PostgreSQL:')
  const cluster: Cluster = await startCluster()
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

function sayWhatElseThereIs(): void {
  console.log(
    onSqlite && !onPostgres
      ? '# These ran on SQLite. On PostgreSQL: npm run test:postgres. The long ones, on both: npm run test:long.'
      : '# These ran on PostgreSQL. On SQLite: npm test. The long ones, on both: npm run test:long.',
  )
}
