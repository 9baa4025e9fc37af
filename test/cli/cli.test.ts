import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import t, { type Test } from 'tap'
import { runCommand } from '../helpers/programs/command.ts'
import { runWarm } from '../helpers/programs/keyturn.ts'
import { enrol, startService, testClock } from '../helpers/service/service.ts'

const SECRET_KEY = randomBytes(32)

const settings = (t: Test) => ({
  DATABASE_URL: `sqlite:${t.testdirName}/keyturn.db`,
  SECRET_KEY: SECRET_KEY.toString('base64'),
})

const keyturn = (t: Test, args: string[], environment: Record<string, string> = {}) =>
  runWarm(args, { ...settings(t), ...environment })

const CLI = 'src/cli/cli.ts'

/** In a process of its own. */
const run = (t: Test, ...args: string[]) => runCommand(t, [CLI, ...args], settings(t)).ended

t.test('help tells the commands and is no failure', async (t) => {
  const [all, keys] = await Promise.all([run(t, '--help'), keyturn(t, ['keys', '--help'])])
  t.strictSame([all.code, all.stderr], [0, ''])
  for (const name of ['migrate', 'keys']) t.match(all.stdout, new RegExp(`^ {2}${name}\\b`, 'm'))
  t.strictSame([keys.code, keys.stderr], [0, ''])
  for (const name of ['list', 'rotate', 'reseal']) t.match(keys.stdout, new RegExp(`^ {2}${name}\\b`, 'm'))
})

t.test('an argument that begins with a hyphen goes behind two', async (t) => {
  t.testdir()
  await keyturn(t, ['migrate', 'up'])
  const { code, stderr } = await run(t, 'keys', 'revoke', '--yes', '--', '-t-unknown')
  t.equal(code, 1)
  t.match(stderr, /^There is no signing key -t-unknown\. /)
})

t.test(
  'a command without what it works on shows the help, ends with exit code 2, and touches nothing',
  async (t) => {
    t.testdir()
    for (const args of [[], ['keys']]) {
      const { code, stdout, stderr } = await keyturn(t, args)
      t.strictSame([code, stdout], [2, ''])
      t.match(stderr, /^Usage: keyturn/)
    }
    t.notOk(existsSync(`${t.testdirName}/keyturn.db`))
  },
)

t.test(
  'what is not a command ends with exit code 2 and a line on where the help is, and touches nothing',
  async (t) => {
    t.testdir()
    const mistakes: readonly [args: string[], wrong: string, help: string][] = [
      [['key'], "unknown command 'key'", 'keyturn --help'],
      [['key', '--help'], "unknown command 'key'", 'keyturn --help'],
      [['help', 'key'], "unknown command 'key'", 'keyturn --help'],
      [['keys', 'remove'], "unknown command 'remove'", 'keyturn keys --help'],
      [['keys', 'remove', '--help'], "unknown command 'remove'", 'keyturn keys --help'],
      [['help', 'keys', 'remove'], "unknown command 'remove'", 'keyturn keys --help'],
      [['keys', 'help', 'remove'], "unknown command 'remove'", 'keyturn keys --help'],
      [['keys', 'list', 'all'], 'too many arguments', 'keyturn keys list --help'],
      [['keys', 'rotate', '--now'], "unknown option '--now'", 'keyturn keys rotate --help'],
      [['users', 'list', '--limit', '0'], "argument '0' is invalid", 'keyturn users list --help'],
      [['audit', '--event', 'nope'], "argument 'nope' is invalid", 'keyturn audit --help'],
    ]
    const outcomes = await Promise.all(mistakes.map(([args]) => keyturn(t, args)))
    const said = (wrong: string, help: string) =>
      new RegExp(`^error: .*${wrong}.*\\n(\\(Did.*\\n)?See ${help}\\n$`)
    for (const [index, { code, stdout, stderr }] of outcomes.entries()) {
      const [args, wrong, help] = mistakes[index] as (typeof mistakes)[number]
      const typed = `keyturn ${args.join(' ')}`
      t.strictSame([code, stdout], [2, ''], typed)
      t.match(stderr, said(wrong, help), typed)
      t.ok(stderr.length < 240, typed)
    }
    t.match(await run(t, 'key'), {
      code: 2,
      stdout: '',
      stderr: said("unknown command 'key'", 'keyturn --help'),
    })
    t.notOk(existsSync(`${t.testdirName}/keyturn.db`))
  },
)

t.test('help on a command is what its --help says', async (t) => {
  const asked = [
    ['help', 'keys', 'rotate'],
    ['keys', 'help', 'rotate'],
    ['help', 'keys'],
    ['import', 'users.jsonl', '--help'],
    ['help'],
  ]
  const [first, ...others] = await Promise.all([
    keyturn(t, ['keys', 'rotate', '--help']),
    ...asked.map((args) => keyturn(t, args)),
  ])
  for (const [index, words] of ['keys rotate', 'keys rotate', 'keys', 'import', ''].entries())
    t.match(
      others[index],
      { code: 0, stderr: '', stdout: `Usage: keyturn ${words}` },
      `${asked[index]?.join(' ')}`,
    )
  t.strictSame([others[0]?.stdout, others[1]?.stdout], [first?.stdout, first?.stdout])
})

t.test('a password is not taken from the command line, where others can read it', async (t) => {
  for (const to of [
    'postgres://ada:hunter2@127.0.0.1/keyturn',
    'postgres://ada@127.0.0.1/keyturn?password=hunter2',
  ]) {
    const { code, stdout, stderr } = await keyturn(t, ['copy', '--from', 'sqlite:nowhere.db', '--to', to])
    t.strictSame([code, stdout], [2, ''])
    t.match(stderr, /PGPASSWORD/)
    t.notMatch(stderr, /hunter2/)
  }
})

t.test('a command that cannot be done ends with exit code 1 and a plain sentence', async (t) => {
  t.testdir({ 'letter.txt': 'Dear Ada, '.repeat(1000) })
  const [config, database, key] = await Promise.all([
    keyturn(t, ['keys', 'list'], { PORT: 'http', JWT_ALG: 'none' }),
    keyturn(t, ['keys', 'list'], { DATABASE_URL: `sqlite:${t.testdirName}/letter.txt` }),
    keyturn(t, ['keys', 'rotate'], { SECRET_KEY: 'short' }),
  ])
  t.match(config.stderr, /2 faults:\n {2}PORT .*\n {2}JWT_ALG /)
  t.match(database.stderr, /is not a SQLite database/)
  t.match(key.stderr, /SECRET_KEY must be/)
  for (const { code, stdout, stderr } of [config, database, key]) {
    t.strictSame([code, stdout], [1, ''])
    t.notMatch(stderr, /\n +at /)
  }
})

t.test('output that cannot be written is a failure, unless its reader has read enough', async (t) => {
  for (const [shell, expected] of [
    ['"$@" > /dev/full', { code: 1, stderr: 'The output cannot be written: the disk is full.\n' }],
    [
      `ulimit -f 4; "$@" > ${t.testdir()}/openapi.json`,
      { code: 1, stderr: 'The output cannot be written: it is larger than a file may be here.\n' },
    ],
    ['set -o pipefail; "$@" | true', { code: 0, stderr: '' }],
  ] as const) {
    const under = ['bash', '--norc', '-c', shell, 'bash']
    t.match(await runCommand(t, [CLI, 'openapi'], {}, { under }).ended, expected)
  }
})

t.test('nothing that a client calls itself acts on the terminal of an operator', async (t) => {
  const clock = testClock(Date.now())
  const service = await startService(t, { rootKeys: [SECRET_KEY], clock })
  const { refreshToken } = await enrol(service)
  // CSI in one character, as HTTP lets it pass: this would clear the screen.
  const headers = { 'user-agent': 'curl\u009b2J' }
  await service.post('/token/refresh', { refresh_token: refreshToken }, undefined, { headers })
  const environment = { DATABASE_URL: service.databaseUrl }
  const { code, stdout, stderr } = await keyturn(t, ['sessions', 'list', 'ada'], environment)
  t.equal(code, 0, stderr)
  t.match(stdout, 'curl\ufffd2J')
  t.notMatch(stdout, /[^\P{Cc}\n]/u)
})

t.test('keys list tells which key signs, which is next and which retires, and makes none', async (t) => {
  const service = await startService(t, { rootKeys: [SECRET_KEY], clock: testClock(Date.now() - 700_000) })
  const { signingKeys } = service.deps
  const first = signingKeys.current().kid
  const second = (await signingKeys.rotate()).kid
  service.clock.advance(700)
  const third = (await signingKeys.rotate()).kid

  const made = ' made [-0-9]{10}T[:.0-9]{12}Z '
  const expected = [
    `${first}  ES256 ${made} is retiring`,
    `${second}  ES256 ${made} signs`,
    `${third}  ES256 ${made} is next`,
  ]
  const before = await service.db.selectFrom('signing_keys').selectAll().execute()
  // Under another algorithm, and without the key that opens them.
  const environment = {
    DATABASE_URL: service.databaseUrl,
    JWT_ALG: 'EdDSA',
    SECRET_KEY: randomBytes(32).toString('base64'),
  }
  const { code, stdout, stderr } = await keyturn(t, ['keys', 'list'], environment)
  t.equal(code, 0, stderr)
  t.match(stdout, new RegExp(`^${expected.join('\\n')}\\n$`))
  t.strictSame(await service.db.selectFrom('signing_keys').selectAll().execute(), before)
})

t.test('the commands for keys work on a database that no service has seen', async (t) => {
  t.testdir()
  await keyturn(t, ['migrate', 'up'])
  const empty = await keyturn(t, ['keys', 'list'])
  t.strictSame([empty.code, empty.stdout], [0, ''], empty.stderr)
  const reseal = await keyturn(t, ['keys', 'reseal'])
  t.equal(reseal.code, 0, reseal.stderr)
  const rotate = await keyturn(t, ['keys', 'rotate'])
  t.match(rotate.stdout, /^The next signing key is /, rotate.stderr)
})

t.test('in the wrong folder a command says that there is no database, and makes none', async (t) => {
  const folder = t.testdir({})
  for (const args of [
    ['keys', 'list'],
    ['keys', 'rotate'],
    ['keys', 'revoke', 'kid', '--yes'],
    ['keys', 'reseal'],
    ['keys', 'status'],
    ['keys', 'forget-lost', '--yes'],
    ['users', 'list'],
    ['clients', 'list'],
    ['sessions', 'end', '--all', '--yes'],
    ['audit'],
    ['export', '-'],
    ['backup', `${folder}/copy.db`],
    ['migrate', 'down', '--yes'],
  ]) {
    const ended = await keyturn(t, args, { DATABASE_URL: `sqlite:${folder}/keyturn.db`, SECRET_KEY: '' })
    t.match(ended, { code: 1, stdout: '', stderr: /^There is no database / }, args.join(' '))
  }
  t.strictSame(readdirSync(folder), [])
})
