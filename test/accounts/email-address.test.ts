import t from 'tap'
import { HOSTILE_ADDRESSES, PLAIN_ADDRESSES } from '../helpers/people/addresses.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { enrol, PASSWORD, startService } from '../helpers/service/service.ts'

/**
 * An address that one parser reads as ours and another as another person's sends the code to the wrong one.
 * An address is plain enough to have one reading, or it is refused; and it is stored as it was sent.
 */

const service = await startService(t)
let made = 0
const registerWith = (email: unknown) =>
  service.post('/register', { username: `person-${++made}`, password: PASSWORD, email })

t.test('a plain address is stored as it was written', async (t) => {
  for (const email of PLAIN_ADDRESSES) {
    const { status, body } = await registerWith(email)
    t.match({ status, email: body.user?.email }, { status: 201, email }, email)
    t.equal(body.user.email_verified, false)
  }
})

t.test('a domain of another script is kept as punycode (RFC 5891)', async (t) => {
  for (const [email, kept] of [
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['ada@BÜCHER.example', 'ada@xn--bcher-kva.example'],
    ['ada@例え。テスト', 'ada@xn--r8jz45g.xn--zckzah'],
  ] as const)
    t.match(await registerWith(email), { status: 201, body: { user: { email: kept } } }, email)
})

t.test('an address that is refused is told why', async (t) => {
  const reasons = [
    ['用户@example.com', /ASCII.*before the @/],
    ['a..b@example.com', /dots before the @/],
    ['ada@localhost', /domain/],
    ['ada', /a name, an @ and a domain/],
  ] as const
  for (const [email, reason] of reasons)
    t.match((await registerWith(email)).body.errors, [{ pointer: '/email', detail: reason }], email)
})

t.test('an address that could be read in two ways is not valid', async (t) => {
  for (const email of HOSTILE_ADDRESSES) {
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
  const medianOf = async (email: string) => {
    const times: number[] = []
    while (times.length < 15) {
      const startedAt = performance.now()
      await registerWith(email)
      times.push(performance.now() - startedAt)
    }
    return times.sort((a, b) => a - b)[7] as number
  }
  const plain = await medianOf('no address')
  for (const email of slow) {
    const times = (await medianOf(email)) / plain
    t.ok(times < 20, `${times.toFixed(1)} times as long as for any other that is none`)
  }
})

t.test('an address is not asked for, and no address is not an empty one', async (t) => {
  const ada = await enrol(service)
  t.equal((await service.get('/me', ada.accessToken)).body.email, null)
  for (const email of ['', [], ['a@x.example'], { address: 'a@x.example' }])
    isProblem(t, await registerWith(email), 'validation_failed', JSON.stringify(email))
})

t.test('two accounts may have one address: it does not tell who has an account', async (t) => {
  t.equal((await registerWith('shared@example.com')).status, 201)
  t.equal((await registerWith('shared@example.com')).status, 201)
})
