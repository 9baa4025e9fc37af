import t from 'tap'
import { createAccount } from '../../src/accounts/create-account.ts'
import { operatorCaller } from '../../src/cli/operator.ts'
import { signIn } from '../helpers/people/sessions.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { enrol, PASSWORD, startService } from '../helpers/service/service.ts'

/** Two names that look alike must not be two people, and one person must not be two counters. */

const service = await startService(t)
const registerAs = (username: unknown) => service.post('/register', { username, password: PASSWORD })

t.test('3 to 64 of the letters, digits and signs that are allowed, kept as they were written', async (t) => {
  const names = [
    'ada',
    'Ada.Lovelace',
    'a_b',
    'a-b',
    'a+b',
    '007',
    'grace@example.com',
    'x'.repeat(64),
    'a..b',
    "o'brien@example.com",
  ]
  for (const username of names) {
    const { status, body } = await registerAs(username)
    t.equal(status, 201, username)
    t.equal(body.user.username, username)
  }
})

t.test('anything else is not valid', async (t) => {
  const names = [
    '',
    'a',
    'ab',
    'x'.repeat(65),
    '.ada',
    'ada.',
    '-ada',
    'ada-',
    '_ada',
    '@ada',
    'ada@',
    'a b',
    'ada\r\nBcc: eve',
    'a\tb',
    'a\0b',
    'a/b',
    'a\\b',
    'a:b',
    'a;b',
    'a,b',
    "'ab",
    'a"b',
    'a<b>',
    'a%b',
    'a#b',
    'a?b',
    'a&b',
    'a=b',
    'a*b',
    'a!b',
    'a~b',
    'a`b',
    'a|b',
    'a$b',
    'a(b)',
    '../etc',
    'аda',
    'adа',
    'adaㅤ',
    'ad\u200da',
    'ad\u00ada',
    'ad\u202ea',
    'ａｄａ',
    'ﬁona',
    '\u212aelvin',
    'ıda',
    'adä',
    'ada\u0301',
    '🔑🔑🔑',
    '\ufdfa\ufdfa\ufdfa',
  ]
  for (const username of names) {
    const answer = await registerAs(username)
    isProblem(t, answer, 'validation_failed', JSON.stringify(username))
    t.match(answer.body.errors, [{ pointer: '/username' }])
  }
})

t.test('what a keyboard puts around a name is cut, and nothing within', async (t) => {
  const made = await registerAs(' Hedy\u200b ')
  t.match(made, { status: 201, body: { user: { username: 'Hedy' } } })
  isProblem(t, await registerAs('hedy '), 'username_taken')
  for (const username of ['hedy ', '\thedy', '\u200ehedy\u00a0', 'hedy\n'])
    t.equal((await service.post('/login', { username, password: PASSWORD })).status, 200, username)
})

t.test('names that differ in case alone are one name', async (t) => {
  t.equal((await registerAs('Margaret')).status, 201)
  for (const username of ['margaret', 'MARGARET', 'mArGaReT', 'Margaret'])
    isProblem(t, await registerAs(username), 'username_taken', username)
  for (const username of ['margaret', 'MARGARET'])
    t.equal(
      (await service.post('/login', { username, password: PASSWORD })).status,
      200,
      `${username} signs in`,
    )
})

t.test('to sign in any text may be tried, and only the right one is right', async (t) => {
  const tried = [
    'mar garet',
    'margaret\0',
    '\u{1d5fa}argaret',
    'mar\u200bgaret',
    'ＭARGARET',
    "' or 1=1 --",
    '%',
  ]
  for (const username of tried)
    isProblem(
      t,
      await service.post('/login', { username, password: PASSWORD }),
      'invalid_credentials',
      JSON.stringify(username),
    )
})

t.test('names that objects are born with are names like any other', async (t) => {
  for (const username of ['constructor', 'toString', 'hasOwnProperty', 'null', 'undefined', 'true'])
    t.equal((await registerAs(username)).status, 201, username)
})

t.test('under USERNAMES=plain no new name has an @, and those from before go on', async (t) => {
  const before = await startService(t)
  const old = await enrol(before, 'ceo@bigcorp.example')
  await before.close()
  const { databaseUrl, clock } = before
  const plain = await startService(t, { databaseUrl, clock, environment: { USERNAMES: 'plain' } })
  for (const username of ['ceo2@bigcorp.example', 'a@b', 'ada@1']) {
    const answer = await plain.post('/register', { username, password: PASSWORD })
    isProblem(t, answer, 'validation_failed', username)
    t.match(answer.body.errors, [{ pointer: '/username' }])
  }
  t.equal((await plain.post('/register', { username: 'ada.l+1_x-y', password: PASSWORD })).status, 201)
  t.ok((await signIn(plain, old)).accessToken)
})

t.test('a name that would pass for the service or the people who run it cannot be registered', async (t) => {
  const service = await startService(t, {
    environment: { APP_NAME: 'Example Bank', ISSUER: 'https://id.bank.example' },
  })
  const names = [
    'admin',
    'Administrator',
    'ROOT',
    'support',
    'help.desk',
    'post-master',
    'no_reply',
    'a.d.m.i.n',
    'keyturn',
    'service_0199f3a2-5c1e-7d3b-9a44-2f1f6a0c7be1',
    '0199F3A2-5c1e-7d3b-9a44-2f1f6a0c7be1',
  ]
  for (const username of [...names, 'example-bank', 'ExampleBank', 'id.bank.example']) {
    const answer = await service.post('/register', { username, password: PASSWORD })
    isProblem(t, answer, 'username_taken', username)
    t.match(answer.body.detail, /reserved/)
  }
  for (const username of ['admiral', 'admin1', 'rooter', 'supporter', 'bank'])
    t.equal((await service.post('/register', { username, password: PASSWORD })).status, 201, username)
  const { name } = await createAccount(
    service.deps,
    { username: 'support', password: PASSWORD },
    operatorCaller(),
    async (_, made) => ({
      name: made.username,
    }),
  )
  t.equal(name, 'support', 'an operator makes it')
})
