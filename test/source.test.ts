// What no request can show, since it is about what the service never does: looked for in its source.
import { globSync, readFileSync } from 'node:fs'
import t from 'tap'

const ROOT = new URL('../', import.meta.url)

/** What runs here: all but the client, which runs elsewhere. */
const everything = globSync('{src,migrations}/**/*.ts', { cwd: ROOT, exclude: ['src/sdk/**'] })
/** The service without its command line, which runs for its operator alone. */
const files = everything.filter((path) => !path.startsWith('src/cli/'))
const source = new Map(everything.map((path) => [path, readFileSync(new URL(path, ROOT), 'utf8')]))

const filesWith = (pattern: RegExp, among = files) =>
  among.filter((path) => pattern.test(source.get(path) ?? '')).sort()

t.test('the source was found', async (t) => {
  t.ok(files.length > 80)
  t.strictSame(filesWith(/from 'fastify'\nimport fastifyAccepts|Fastify\(\{/), ['src/api/app.ts'])
})

t.test('no text becomes a program', async (t) => {
  t.strictSame(filesWith(/\bchild_process\b/), [], 'none is started')
  t.strictSame(filesWith(/(?<![.\w])eval\(|\bnew Function\b|\bnode:vm\b/), [], 'none is evaluated')
  t.strictSame(filesWith(/\bsql\.(raw|lit)\b/), [], 'none is put into SQL: values are bound')
  t.strictSame(filesWith(/\bnew RegExp\(/), [], 'none is put into a pattern')
})

t.test('the service asks no other one by HTTP, but a collector of traces where one is set', async (t) => {
  t.strictSame(
    filesWith(/\bfetch\(|\bhttps?\.(get|request)\(|\bundici\b/, everything),
    ['src/cli/doctor/other-machines.ts'],
    'but the doctor, which looks at its own service from outside',
  )
  t.strictSame(
    filesWith(/from '@opentelemetry\//, everything),
    ['src/monitoring/traces.ts'],
    'and the exporter of traces, which is a package',
  )
})

t.test('what people read stands in src/texts/', async (t) => {
  const sentence =
    /new AppError\(\s*[^,()]+,\s*['"`]|\b(malformedJson|stepUpNeeded)\(\s*['"`]|\b(detail|closing): ['"`]/
  t.strictSame(
    filesWith(sentence).filter((path) => !path.startsWith('src/texts/')),
    [],
  )
})

t.test('what must not be guessed is not made by Math.random', async (t) => {
  const waits = [
    'src/crypto/hash-queue.ts',
    'src/platform/background.ts',
    'src/platform/database-errors.ts',
    'src/platform/postgres.ts',
    'src/platform/redis.ts',
    'src/platform/sqlite-connection.ts',
  ]
  for (const path of filesWith(/\bMath\.random\b/))
    t.ok(waits.includes(path), `${path}: chance is for the length of waits alone`)
})

t.test('time comes from the clock', async (t) => {
  t.strictSame(filesWith(/\bDate\.now\(|\bnew Date\(\)/), ['src/platform/clock.ts'])
})

t.test(
  'inTransaction is the only way to a transaction: the others neither repeat it nor know afterCommit',
  (t) => {
    const ways =
      /\b(transaction|startTransaction|connection|setIsolationLevel)\(\)|["'`]\s*(begin|start transaction|commit|rollback|savepoint|release)\b/i
    const all = globSync('{src,migrations}/**/*.{ts,js}', { cwd: ROOT })
    t.strictSame(
      all.filter((path) => ways.test(readFileSync(new URL(path, ROOT), 'utf8'))).sort(),
      // `inTransaction` itself, and the drivers below it.
      [
        'src/platform/database.ts',
        'src/platform/postgres-connection.ts',
        'src/platform/postgres-round-trip.ts',
        'src/platform/postgres-settings.ts',
        'src/platform/postgres.ts',
        'src/platform/sqlite-groups.ts',
      ],
    )
    t.end()
  },
)
