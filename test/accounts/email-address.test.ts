import t from 'tap'
import { isProblem } from '../helpers/problems.ts'
import { enrol, PASSWORD, startService } from '../helpers/service.ts'

/**
 * E-20: an address that one parser reads as ours and another as somebody else's sends the code to somebody else.
 * An address is plain enough to have one reading, or it is refused; and it is stored as it was sent.
 */

const service = await startService(t)
let made = 0
const registerWith = (email: unknown) =>
  service.post('/register', { username: `person-${++made}`, password: PASSWORD, email })

t.test('a plain address is stored as it was written', async (t) => {
  const addresses = [
    'ada@example.com',
    'Ada.Lovelace@Example.COM',
    'ada+keyturn@example.co.uk',
    "o'brien@example.com",
    'a@b.cd',
    'x_-.y=z{}|~!#$%&*/?^`@example.com',
    'ada@xn--bcher-kva.example',
    'ada@sub.sub.sub.example.com',
    `${'a'.repeat(64)}@example.com`,
    `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`,
  ]
  for (const email of addresses) {
    const { status, body } = await registerWith(email)
    t.match({ status, email: body.user?.email }, { status: 201, email }, email)
    t.equal(body.user.email_verified, false)
  }
})

const HOSTILE = [
  'a@x.example\r\nBcc: e@evil.example',
  'a@x.example\nBcc: e@evil.example',
  'a@x.example\n',
  '\ra@x.example',
  'a@x.example%0d%0aBcc:e@evil.example ',
  'a@x.example, e@evil.example',
  'a@x.example,e@evil.example',
  'a@x.example;e@evil.example',
  'a@x.example e@evil.example',
  'g: a@x.example, e@evil.example;',
  '"e@evil.example x"@x.example',
  '"e@evil.example"@x.example',
  '"ada"@x.example',
  'a@x.example <e@evil.example>',
  '<e@evil.example>',
  'Ada <ada@x.example>',
  'a\0@x.example',
  'a@x.example\0',
  'a@x.example\0.evil.example',
  'a@x.example(comment)',
  'a(comment)@x.example',
  `${'('.repeat(200)}@x.example`,
  'a@@x.example',
  'a@b@x.example',
  'a@x',
  'a@localhost',
  'a@.example',
  'a@x..example',
  'a@-x.example',
  'a@x-.example',
  'a@x.example.',
  'a@x_y.example',
  '.a@x.example',
  'a.@x.example',
  'a..b@x.example',
  '@x.example',
  'a@',
  'a',
  ' a@x.example',
  'a@x.example ',
  'a @x.example',
  'a@[127.0.0.1]',
  'a@[IPv6:::1]',
  'ä@x.example',
  'a@bücher.example',
  'a@ｘ.example',
  'аda@x.example',
  'a\u200b@x.example',
  'a\u202e@x.example',
  `a@${'b'.repeat(64)}.example`,
  `${'a'.repeat(65)}@x.example`,
  `${'a'.repeat(300)}@x.example`,
  `a@${'b.'.repeat(150)}example`,
  'postmaster',
  '=?utf-8?q?a=40evil.example?=@x.example ',
  'file:///etc/passwd',
]

t.test('an address that could be read in two ways is not valid', async (t) => {
  for (const email of HOSTILE) {
    const answer = await registerWith(email)
    isProblem(t, answer, 'validation_failed', JSON.stringify(email).slice(0, 60))
    t.match(answer.body.errors, [{ pointer: '/email' }])
  }
  const stored = await service.db
    .selectFrom('accounts')
    .select('email')
    .where('email', 'like', '%evil%')
    .execute()
  t.strictSame(stored, [])
})

t.test('a hostile address is judged quickly: no pattern makes the service think for long', async (t) => {
  const slow = [
    `${'a.'.repeat(126)}!`,
    `a@${'a-'.repeat(125)}`,
    `a@${'a.'.repeat(125)}!`,
    `${'a'.repeat(254)}`,
  ]
  const startedAt = performance.now()
  for (let i = 0; i < 20; i++) for (const email of slow) await registerWith(email)
  const each = (performance.now() - startedAt) / (20 * slow.length)
  t.ok(each < 20, `${each.toFixed(2)} ms each`)
})

t.test('an address is not asked for, and no address is not an empty one', async (t) => {
  const ada = await enrol(service)
  t.equal((await service.get('/me', ada.accessToken)).body.email, null)
  for (const email of ['', null, [], ['a@x.example'], { address: 'a@x.example' }])
    isProblem(t, await registerWith(email), 'validation_failed', JSON.stringify(email))
})

t.test('two accounts may have one address: it does not tell who has an account', async (t) => {
  t.equal((await registerWith('shared@example.com')).status, 201)
  t.equal((await registerWith('shared@example.com')).status, 201)
})
