import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { placeOf } from '../../src/platform/database.ts'
import { FOREIGN_HASHES } from '../helpers/people/foreign-hashes.ts'
import { childOptions } from '../helpers/programs/child-environment.ts'
import { jsonLines } from '../helpers/programs/importing.ts'
import { keyturnOn } from '../helpers/programs/keyturn.ts'
import { sharedEnvironment } from '../helpers/programs/process.ts'
import { which } from '../helpers/programs/which.ts'
import { CHEAP_HASHES } from '../helpers/service/service.ts'

/** On a terminal, questions are asked, passwords are not shown, and long work shows how far it has come. */

const CLI = fileURLToPath(new URL('../../src/cli/cli.ts', import.meta.url))
const HASH = FOREIGN_HASHES['Werkzeug pbkdf2:sha256'] ?? ''
const script = which('script')
const skip = script ? false : 'no script(1)'

/** Types each line when the text before it has appeared. @returns what the terminal showed, and the exit code. */
async function onTerminal(
  t: Test,
  environment: Record<string, string>,
  args: string[],
  typing: [after: string, line: string][] = [],
) {
  const command = [process.execPath, CLI, ...args].map((word) => `'${word}'`).join(' ')
  const child = spawn('env', ['-u', 'NODE_OPTIONS', script as string, '-qec', command, '/dev/null'], {
    ...childOptions({ ...CHEAP_HASHES, TERM: 'xterm', ...environment }),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let screen = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text
  })
  const ended = once(child, 'close')
  for (const [after, line] of typing) {
    // The terminal is told not to show what is typed before the question is written.
    while (!screen.includes(after) && child.exitCode === null) await sleep(20)
    child.stdin.write(`${line}\r`)
  }
  const [code] = await ended
  return { code, screen }
}

t.test('a password is typed twice and never shown', { skip }, async (t) => {
  const environment = await sharedEnvironment(t)
  const made = await onTerminal(
    t,
    environment,
    ['users', 'create', 'ada'],
    [
      ['Password: ', 'correct horse battery'],
      ['Repeat the password: ', 'correct horse battery'],
    ],
  )
  t.equal(made.code, 0, made.screen)
  t.match(made.screen, 'The account ada was created.')
  t.notMatch(made.screen, 'horse')

  const mistyped = await onTerminal(
    t,
    environment,
    ['users', 'create', 'grace'],
    [
      ['Password: ', 'correct horse battery'],
      ['Repeat the password: ', 'correct horse batery'],
    ],
  )
  t.match(mistyped, { code: 1, screen: /two passwords differ/ })
  const interrupted = await onTerminal(
    t,
    environment,
    ['users', 'create', 'grace'],
    [['Password: ', '\u0003']],
  )
  t.match(interrupted, { code: 1, screen: /Nothing was done/ })
  t.match(await keyturnOn(environment).json('users', 'list'), [{ username: 'ada' }])
})

t.test(
  'a question comes before what cannot be taken back, and anything but yes is no',
  { skip },
  async (t) => {
    const environment = await sharedEnvironment(t)
    const keyturn = keyturnOn(environment)
    await keyturn.withInput('correct horse battery', 'users', 'create', 'ada')
    // The last two are Ctrl+C and Ctrl+D.
    for (const reply of ['', 'n', 'yesterday', '\u0003', '\u0004']) {
      const { code, screen } = await onTerminal(
        t,
        environment,
        ['users', 'delete', 'ada'],
        [['[y/N]', reply]],
      )
      t.equal(code, 1)
      t.match(screen, /Delete the account ada for good\? \[y\/N\]/)
      t.match(screen, 'Nothing was done.')
    }
    t.equal((await keyturn.json('users', 'list')).length, 1)
    const { code } = await onTerminal(t, environment, ['users', 'delete', 'ada'], [['[y/N]', 'y']])
    t.equal(code, 0)
    t.equal((await keyturn.json('users', 'list')).length, 0)
  },
)

t.test('a terminal has colours, and NO_COLOR, a pipe and a file have none', { skip }, async (t) => {
  const environment = await sharedEnvironment(t)
  const keyturn = keyturnOn(environment)
  await keyturn.withInput('correct horse battery', 'users', 'create', 'ada')
  for (const [shown, ...args] of [
    ['\u001b[32mok\u001b[39m', 'doctor'],
    ['\u001b[1mUsage:\u001b[22m', '--help'],
    ['\u001b[1mExample:\u001b[22m', 'users', 'rename', '--help'],
    ['\u001b[1mUSERNAME  ', 'users', 'list'],
    ['\u001b[31mThere is no account', 'users', 'show', 'unknown'],
    ['\u001b[31merror: unknown command', 'users', 'shew'],
  ] as const) {
    t.match((await onTerminal(t, environment, args)).screen, shown)
    for (const plain of [
      await onTerminal(t, { ...environment, NO_COLOR: '1' }, args),
      await keyturn(...args),
    ])
      t.notMatch(JSON.stringify(plain), '\\u001b', `${args.join(' ')}, plain`)
  }
})

t.test('what takes long shows a bar on the terminal alone', { skip }, async (t) => {
  const folder = t.testdir({ 'users.jsonl': jsonLines({ username: 'ada', password_hash: HASH }) })
  const environment = await sharedEnvironment(t)
  const shown = async (...args: string[]) => {
    const { code, screen } = await onTerminal(t, environment, args)
    t.equal(code, 0, screen)
    return screen
  }
  t.match(await shown('import', `${folder}/users.jsonl`, '--apply'), /Importing .* of 1/)
  t.match(await shown('export', `${folder}/accounts.jsonl`), /Exporting .* of 1/)
  const urls = ['--from', environment.DATABASE_URL as string, '--to', `sqlite:${folder}/copy.db`]
  t.match(await shown('copy', ...urls), /Copying .* of \d+/)
  const { stderr } = await keyturnOn(environment)('export', `${folder}/again.jsonl`)
  t.equal(stderr, `Database: ${placeOf(environment.DATABASE_URL as string)}\n`)
})
