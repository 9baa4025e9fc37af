import t from 'tap'
import { keyturnOn } from '../helpers/programs/keyturn.ts'
import { startOperated } from '../helpers/programs/operated-service.ts'
import { enrol, login, PASSWORD } from '../helpers/service/service.ts'

/** Each command beside a running service: what the service says right after it, and what the audit trail says. */

const { service, keyturn, mailTo, environment, tokenMailedTo } = await startOperated(t)
const statusOf = async (answer: Promise<{ status: number }>) => (await answer).status

t.test('users create: with a password from stdin, also where registration is closed', async (t) => {
  const closed = keyturnOn({ ...environment, REGISTRATION: 'closed' })
  const made = await closed.withInput(`${PASSWORD}\nsecond line\n`, 'users', 'create', 'grace', '--json')
  t.match(JSON.parse(made.stdout), { username: 'grace', email: null, email_verified: false })
  t.equal(made.code, 0, made.stderr)
  t.notMatch(made.stdout + made.stderr, PASSWORD)
  t.ok(await login(service, 'grace'))
  t.equal((await keyturn.events('--user', 'grace')).at(0)?.event, 'account_created')

  const refused: [string[], string, number, RegExp][] = [
    [['grace'], PASSWORD, 1, /username/i],
    [['GRACE'], PASSWORD, 1, /username/i],
    [['alan'], 'password1', 1, /too common/],
    [['alan'], 'short', 1, /at least 8 characters/],
    [['alan'], '', 1, /no password on stdin/],
    [['alan'], 'x'.repeat(129), 1, /at most 128/],
    [['a'], PASSWORD, 2, /3 to 64/],
    [['alan turing'], PASSWORD, 2, /3 to 64/],
    [['alan', '--email', 'nobody'], PASSWORD, 2, /No mail can be sent to "nobody"/],
    [['alan', '--by-mail'], '', 2, /need --email/],
    [['alan', PASSWORD], PASSWORD, 2, /too many arguments/],
    [[], PASSWORD, 2, /missing required argument/],
  ]
  await Promise.all(
    refused.map(async ([args, input, code, message]) => {
      const ended = await keyturn.withInput(input, 'users', 'create', ...args)
      t.match(ended, { code, stdout: '', stderr: message }, `users create ${args.join(' ')}`)
      t.notMatch(ended.stderr, /\n +at /)
    }),
  )
  t.match(await keyturn('users', 'show', 'alan'), { code: 1, stderr: 'There is no account "alan".\n' })
})

t.test('users create: under USERNAMES=plain a name has no @', async (t) => {
  const plain = keyturnOn({ ...environment, USERNAMES: 'plain' })
  t.match(await plain.withInput(PASSWORD, 'users', 'create', 'alan@example.com'), {
    code: 2,
    stderr: /3 to 64 characters of A-Z a-z 0-9 \. _ \+ ' - /,
  })
})

t.test('users create --by-mail: the owner sets the password, and nobody else knows one', async (t) => {
  const made = await keyturn('users', 'create', 'joan', '--email', 'joan@example.com', '--by-mail')
  t.equal(made.code, 0, made.stderr)
  const token = await tokenMailedTo('joan@example.com')
  t.equal(token.length, 43)
  t.notMatch(made.stdout + made.stderr, token)
  const { text } = await mailTo('joan@example.com', /reset your password/)
  t.match(text, /The administrator asks you to set a new password/)
  t.equal(await statusOf(service.post('/password/reset', { token, new_password: PASSWORD })), 204)
  t.ok(await login(service, 'joan'))

  const tooSoon = await keyturn('users', 'reset-password', 'joan')
  t.match(tooSoon, { code: 1, stdout: '', stderr: /A mail was sent a moment ago/ })
})

t.test('users list and show: who there is, in text and in JSON', async (t) => {
  const ada = await enrol(service, 'ada')
  const all = await keyturn.json('users', 'list')
  t.strictSame(
    all.map(({ username }: { username: string }) => username),
    ['ada', 'grace', 'joan'],
  )
  t.match(all[0], { id: ada.id, second_factor: 'totp', disabled: false, email: null })
  const page = await keyturn('users', 'list', '--limit', '1', '--after', 'ADA')
  t.match(page, { code: 0, stdout: /^USERNAME .*\ngrace {2,}- /, stderr: 'There are more: --after grace\n' })
  t.match(await keyturn.json('users', 'list', '--search', '@EXAMPLE.com'), [{ username: 'joan' }])
  t.strictSame(await keyturn.json('users', 'list', '--search', '%'), [])
  t.match(await keyturn('users', 'list', '--limit', '0'), { code: 2, stderr: /from 1 to 100000/ })

  const shown = await keyturn.json('users', 'show', ada.id)
  t.match(shown, { username: 'ada', totp: true, recovery_codes: 10, sessions: 1, password_hash: 'argon2id' })
  const text = await keyturn('users', 'show', 'Ada')
  t.match(text.stdout, /^username +ada$/m)
  t.notMatch(text.stdout, ada.secret)
})

t.test('a name that is the id of another account does not stand for it', async (t) => {
  const { id } = await keyturn.json('users', 'show', 'ada')
  t.match(await keyturn.withInput(PASSWORD, 'users', 'create', id), { code: 0 })
  t.equal((await keyturn.json('users', 'show', id)).username, 'ada')
})
