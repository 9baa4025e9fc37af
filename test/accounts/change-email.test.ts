import t from 'tap'
import {
  codeIn,
  deliver,
  enrolByEmail,
  enrolWithAddress,
  type MailingService,
  notices,
  proveEmail,
  setEmail,
  signInByEmail,
} from '../helpers/people/mail.ts'
import { claimsOf, isAlive, signIn } from '../helpers/people/sessions.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { type Answer, enrol, nextCode, PASSWORD, startService } from '../helpers/service/service.ts'

/** An address counts when a code that was sent to it has come back; until then the old one does. */

const otherThan = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0')

const lastCode = ({ smtp }: MailingService) => codeIn(smtp.mails.at(-1))

t.test('a first address is proven by the code that comes there', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrol(service)
  const begun = await setEmail(service, ada.accessToken, 'ada@example.com')
  t.equal(begun.status, 202)
  t.strictSame(service.smtp.mails.at(-1)?.to, ['ada@example.com'])
  t.match((await service.get('/me', ada.accessToken)).body, { email: null, email_verified: false })
  const proven = await proveEmail(service, ada.accessToken, lastCode(service))
  t.equal(proven.status, 200)
  t.match(proven.body, { id: ada.id, email: 'ada@example.com', email_verified: true })
  t.strictSame((await service.get('/me', ada.accessToken)).body, proven.body)
  t.strictSame(notices(await deliver(service)), ['your address was changed → ada@example.com'])
})

t.test('the old address stays until the new one is proven, then both are told', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  service.clock.advance(60)
  await setEmail(service, ada.accessToken, 'new@example.com')
  t.strictSame(service.smtp.mails.at(-1)?.to, ['new@example.com'], 'the code goes there and nowhere else')
  t.match((await service.get('/me', ada.accessToken)).body, {
    email: 'ada@example.com',
    email_verified: true,
  })
  t.strictSame(await deliver(service), [], 'nothing has happened yet')
  await proveEmail(service, ada.accessToken, lastCode(service))
  t.match((await service.get('/me', ada.accessToken)).body, {
    email: 'new@example.com',
    email_verified: true,
  })
  t.strictSame(notices(await deliver(service)).toSorted(), [
    'your address was changed → ada@example.com',
    'your address was changed → new@example.com',
  ])
})

t.test('an address that was never proven is not told of its replacement', async (t) => {
  const service = await startService(t, { mail: true })
  const { body } = await service.post('/register', {
    username: 'ada',
    password: 'correct horse battery',
    email: 'mistyped@example.com',
  })
  const setup = await service.post('/2fa/setup', undefined, body.mfa_token)
  const code = nextCode(service, setup.body)
  const { access_token: token } = (await service.post('/2fa/verify', { code }, body.mfa_token)).body
  t.strictSame(await deliver(service), [], 'nor of the new authenticator')
  await setEmail(service, token, 'ada@example.com')
  await proveEmail(service, token, lastCode(service))
  t.strictSame(notices(await deliver(service)), ['your address was changed → ada@example.com'])
})

t.test('proving the present address changes nothing else', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  service.clock.advance(60)
  await setEmail(service, ada.accessToken, ada.email)
  t.equal((await proveEmail(service, ada.accessToken, lastCode(service))).status, 200)
  t.strictSame(await deliver(service), [])
})

t.test('asking for a code takes an account token, proving it an access token', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrol(service)
  const ask = (token: string) => service.put('/me/email', { email: 'ada@example.com' }, token)
  isProblem(t, await ask(ada.accessToken), 'insufficient_user_authentication')
  t.equal((await ask(ada.accountToken)).status, 202)
  service.clock.advance(60)
  isProblem(t, await ask(ada.accountToken), 'invalid_token')
  t.equal((await proveEmail(service, ada.accessToken, lastCode(service))).status, 200)
})

t.test('the account token is used up also where the mail cannot be sent', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrol(service)
  const ask = () => service.put('/me/email', { email: 'ada@example.com' }, ada.accountToken)
  service.smtp.behave({ refuse: ['rcpt', 550] })
  const refused = await ask()
  isProblem(t, refused, 'email_delivery_failed')
  t.equal(refused.body.reason, 'refused', 'another try is of no use')
  t.notOk('retry-after' in refused.headers)
  service.smtp.behave({})
  isProblem(t, await ask(), 'invalid_token')
  t.equal((await setEmail(service, ada.accessToken, 'ada@example.com')).status, 202, 'another one is good')
})

t.test('every other session ends with the proof, and account tokens do', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrol(service)
  const other = await signIn(service, ada)
  await setEmail(service, ada.accessToken, 'ada@example.com')
  const { body } = await service.post(
    '/2fa/step-up',
    { code: nextCode(service, ada), password: PASSWORD },
    ada.accessToken,
  )
  t.equal((await proveEmail(service, ada.accessToken, lastCode(service))).status, 200)
  t.notOk(await isAlive(service, other.accessToken))
  t.ok(await isAlive(service, ada.accessToken))
  isProblem(t, await service.post('/2fa/setup', undefined, body.account_token), 'invalid_token')
})

t.test('a code lives for ten minutes', async (t) => {
  const service = await startService(t, { mail: true, environment: { ACCESS_TOKEN_TTL: '1200' } })
  for (const [username, age, expected] of [
    ['ada', 599, '200'],
    ['grace', 600, '422 invalid_code'],
  ] as const) {
    const { accessToken } = await enrol(service, username)
    await setEmail(service, accessToken, `${username}@example.com`)
    service.clock.advance(age)
    t.equal(outcomeOf(await proveEmail(service, accessToken, lastCode(service))), expected)
  }
})

t.test('the next code waits for a minute, and voids the one before it', async (t) => {
  const service = await startService(t, { mail: true })
  const { accessToken } = await enrol(service)
  await setEmail(service, accessToken, 'ada@example.com')
  const old = lastCode(service)
  service.clock.advance(20)
  const tooSoon = await setEmail(service, accessToken, 'other@example.com')
  isProblem(t, tooSoon, 'rate_limited')
  t.equal(tooSoon.headers['retry-after'], '40')
  service.clock.advance(40)
  t.equal((await setEmail(service, accessToken, 'other@example.com')).status, 202)
  t.equal(outcomeOf(await proveEmail(service, accessToken, old)), '422 invalid_code')
  t.equal((await proveEmail(service, accessToken, lastCode(service))).body.email, 'other@example.com')
})

t.test('of fifty parallel requests with one code, one proves the address', async (t) => {
  const service = await startService(t, { mail: true })
  const { accessToken } = await enrol(service)
  await setEmail(service, accessToken, 'ada@example.com')
  const code = lastCode(service)
  const answers = await burst(50, () => proveEmail(service, accessToken, code))
  t.equal(tally(answers)['200'], 1)
  t.equal((await deliver(service)).length, 1, 'one notice')
})

t.test('five wrong codes void a code', async (t) => {
  const service = await startService(t, { mail: true })
  const { accessToken } = await enrol(service)
  await setEmail(service, accessToken, 'ada@example.com')
  const code = lastCode(service)
  for (let guess = 0; guess < 5; guess += 1)
    isProblem(t, await proveEmail(service, accessToken, otherThan(code)), 'invalid_code')
  t.equal(outcomeOf(await proveEmail(service, accessToken, code)), '422 invalid_code', 'the right one')
})

t.test(
  'wrong codes are counted over all codes that were sent, also over one that could not be',
  async (t) => {
    const service = await startService(t, { mail: true })
    const ada = await enrol(service)
    const answers: Answer[] = []
    for (let code = 0; code < 2; code += 1) {
      await setEmail(service, ada.accessToken, 'victim@example.com')
      const right = lastCode(service)
      for (let guess = 0; guess < 5; guess += 1)
        answers.push(await proveEmail(service, ada.accessToken, otherThan(right)))
      service.clock.advance(60)
      service.smtp.behave({ refuse: ['rcpt', 550] })
      isProblem(t, await setEmail(service, ada.accessToken, 'nobody@example.com'), 'email_delivery_failed')
      service.smtp.behave({})
    }
    t.strictSame(tally(answers), { '422 invalid_code': 10 })
    service.clock.advance(-60)
    await setEmail(service, ada.accessToken, 'victim@example.com')
    isProblem(t, await proveEmail(service, ada.accessToken, lastCode(service)), 'too_many_attempts')
    const stepUp = await service.post('/2fa/step-up', { code: nextCode(service, ada) }, ada.accessToken)
    t.equal(stepUp.status, 200, 'no other factor is paused')
  },
)

t.test(
  'wrong codes that a thief of an access token sends do not close the change of the address',
  async (t) => {
    const service = await startService(t, { mail: true })
    const ada = await enrol(service)
    const counted = () =>
      service.db
        .selectFrom('failure_counters')
        .select('failures')
        .where('factor', '=', 'new address')
        .execute()
    for (let guess = 0; guess < 120; guess += 1)
      isProblem(t, await proveEmail(service, ada.accessToken, '000000'), 'invalid_code')
    t.match(await counted(), [{ failures: 0 }], 'no code is on its way, and none is counted')

    // The worst that codes on their way could bring.
    await service.db
      .updateTable('failure_counters')
      .set({ failures: 200 })
      .where('factor', '=', 'new address')
      .execute()
    await setEmail(service, ada.accessToken, 'ada@example.com')
    isProblem(t, await proveEmail(service, ada.accessToken, otherThan(lastCode(service))), 'invalid_code')
    isProblem(t, await proveEmail(service, ada.accessToken, lastCode(service)), 'too_many_attempts')
    service.clock.advance(900)
    const { accessToken } = await signIn(service, ada)
    await setEmail(service, accessToken, 'ada@example.com')
    t.equal((await proveEmail(service, accessToken, lastCode(service))).status, 200)
  },
)

t.test('an hour has five codes for one address that nobody has proven, whoever asks', async (t) => {
  const service = await startService(t, { mail: true })
  const answers: Answer[] = []
  for (const username of ['ada', 'grace', 'edsger']) {
    const { secret, accessToken } = await enrol(service, username)
    let token = accessToken
    for (let mail = 0; mail < 3; mail += 1) {
      answers.push(await setEmail(service, token, 'victim@example.com'))
      service.clock.advance(60)
      const code = nextCode(service, { secret })
      token = (await service.post('/2fa/step-up', { code }, token)).body.access_token
    }
  }
  t.strictSame(tally(answers), { 202: 5, '429 rate_limited': 4 })
  t.equal(service.smtp.mails.length, 5)
})

t.test('a code mailed by another account for the same address does not prove it here', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrol(service, 'ada')
  const grace = await enrol(service, 'grace')
  await setEmail(service, ada.accessToken, 'shared@example.com')
  const code = lastCode(service)
  await setEmail(service, grace.accessToken, 'shared@example.com')
  t.equal(outcomeOf(await proveEmail(service, grace.accessToken, code)), '422 invalid_code')
})

t.test('where mailed codes are a factor, they go to the new address from then on', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolByEmail(service)
  await setEmail(service, ada.accessToken, 'new@example.com')
  await proveEmail(service, ada.accessToken, lastCode(service))
  const signedIn = await signInByEmail(service)
  t.strictSame(service.smtp.mails.at(-1)?.to, ['new@example.com'])
  t.strictSame(claimsOf(signedIn.body.access_token).amr, ['pwd', 'email', 'mfa'])
})

t.test('a service without a mail server says so', async (t) => {
  const service = await startService(t)
  const { accessToken } = await enrol(service)
  isProblem(t, await setEmail(service, accessToken, 'ada@example.com'), 'email_unavailable')
  isProblem(t, await proveEmail(service, accessToken, '000000'), 'invalid_code')
})
