// The attack: a code was seen (over a shoulder, by a phishing page, in transit) and is sent again while it would
// still be valid, or many times at once, so that all checks happen before the first use is recorded.
import t, { type Test } from 'tap'
import { totp } from '../helpers/people/totp.ts'
import { sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { burst, outcomeOf, tally, withoutRequestId } from '../helpers/requests/burst.ts'
import {
  type Enrolled,
  enrol,
  login,
  logins,
  nextCode,
  register,
  type Service,
  startService,
  wrongCode,
} from '../helpers/service/service.ts'

const BURST = 50

/** A service with one enrolled account, some minutes after it was enrolled. */
async function withAda(t: Test): Promise<{ service: Service; ada: Enrolled }> {
  const service = await startService(t)
  const ada = await enrol(service)
  service.clock.advance(300)
  return { service, ada }
}

t.test('a code that was accepted is refused ever after', async (t) => {
  const { service, ada } = await withAda(t)
  const code = nextCode(service, ada)
  t.equal((await service.post('/2fa/verify', { code }, await login(service))).status, 200)
  for (const seconds of [0, 1, 28, 1]) {
    service.clock.advance(seconds)
    const replay = await service.post('/2fa/verify', { code }, await login(service))
    t.equal(outcomeOf(replay), '422 invalid_code')
  }
  t.equal(
    (await service.post('/2fa/verify', { code: totp(ada.secret, service.clock.now()) }, await login(service)))
      .status,
    200,
    'the next code is good',
  )
})

t.test('the code that confirmed the enrolment is spent', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const replay = await service.post('/2fa/verify', { code: ada.confirmingCode }, await login(service))
  t.equal(outcomeOf(replay), '422 invalid_code')
})

t.test('of fifty parallel confirmations of one enrolment, one wins', async (t) => {
  const service = await startService(t)
  const { mfaToken } = await register(service)
  const { body } = await service.post('/2fa/setup', undefined, mfaToken)
  const code = totp(body.secret, service.clock.now())
  const others = await logins(service, BURST / 2)
  const answers = await burst(BURST, (index) =>
    service.post('/2fa/verify', { code }, index % 2 ? mfaToken : others[index / 2]),
  )
  t.equal(tally(answers)['200'], 1)
  t.equal(answers.filter(({ body }) => body.recovery_codes).length, 1, 'the recovery codes are shown once')
})

t.test('of fifty parallel requests with one code and fifty mfa tokens, one wins', async (t) => {
  const { service, ada } = await withAda(t)
  const tokens = await logins(service, BURST)
  const code = nextCode(service, ada)
  const answers = await burst(BURST, (index) => service.post('/2fa/verify', { code }, tokens[index]))
  const { 200: won, '422 invalid_code': refused = 0, '429 too_many_attempts': paused = 0 } = tally(answers)
  t.equal(won, 1)
  t.equal(refused + paused, BURST - 1, 'the others are told that the code is wrong, or to wait')
})

t.test('of fifty parallel requests with one code and one mfa token, one wins', async (t) => {
  const { service, ada } = await withAda(t)
  const token = await login(service)
  const code = nextCode(service, ada)
  const answers = await burst(BURST, () => service.post('/2fa/verify', { code }, token))
  t.strictSame(tally(answers), { 200: 1, '401 invalid_token': BURST - 1 })
})

t.test('a code is good once among all routes that take one', async (t) => {
  const { service, ada } = await withAda(t)
  const verify = async (code: string) => service.post('/2fa/verify', { code }, await login(service))
  const stepUp = (code: string) => service.post('/2fa/step-up', { code }, ada.accessToken)
  for (const [first, second] of [
    [verify, stepUp],
    [stepUp, verify],
  ] as const) {
    const code = nextCode(service, ada)
    t.equal((await first(code)).status, 200)
    t.equal(outcomeOf(await second(code)), '422 invalid_code')
  }
  const code = nextCode(service, ada)
  const answers = await burst(8, (index) => (index % 2 ? verify(code) : stepUp(code)))
  t.strictSame(tally(answers), { 200: 1, '422 invalid_code': 7 })
})

t.test('a code is good once among two processes on one database file', async (t) => {
  const environment = await sharedEnvironment(t)
  const first = await startProcess(t, environment)
  const second = await startProcess(t, environment)
  for (const username of ['ada', 'grace', 'edsger']) {
    const { secret } = await enrol(first, username)
    const tokens = await logins(second, BURST, username)
    const code = totp(secret, Date.now() + 30_000)
    const answers = await burst(BURST, (index) =>
      (index % 2 ? first : second).post('/2fa/verify', { code }, tokens[index]),
    )
    t.equal(tally(answers)['200'], 1, JSON.stringify(tally(answers)))
  }
})

t.test('a code stays spent over a restart', async (t) => {
  const { service, ada } = await withAda(t)
  const code = nextCode(service, ada)
  t.equal((await service.post('/2fa/verify', { code }, await login(service))).status, 200)
  await service.close()
  const { databaseUrl, clock } = service
  const restarted = await startService(t, { databaseUrl, clock })
  t.equal(
    outcomeOf(await restarted.post('/2fa/verify', { code }, await login(restarted))),
    '422 invalid_code',
  )
})

t.test('a clock that is set back does not reopen a time step', async (t) => {
  const { service, ada } = await withAda(t)
  const answerWith = async (code: string) => service.post('/2fa/verify', { code }, await login(service))
  const code = nextCode(service, ada)
  t.equal((await answerWith(code)).status, 200)
  for (const stepBack of [30, 30]) {
    service.clock.advance(-stepBack)
    for (const old of [code, totp(ada.secret, service.clock.now())])
      t.equal(outcomeOf(await answerWith(old)), '422 invalid_code')
  }
  // Further back than clocks may differ: it may be right now, and have been ahead.
  service.clock.advance(-3600)
  const other = totp(ada.secret, service.clock.now())
  t.equal(outcomeOf(await answerWith(code)), '422 invalid_code')
  t.equal((await answerWith(other)).status, 200, 'a code that was never used')
  for (const old of [code, other]) t.equal(outcomeOf(await answerWith(old)), '422 invalid_code')
  service.clock.advance(3660)
  for (const old of [code, other]) t.equal(outcomeOf(await answerWith(old)), '422 invalid_code')
  t.equal(
    (await answerWith(nextCode(service, ada))).status,
    200,
    'once the clock is right again, so are the codes',
  )
})

t.test('a code of the time step before or after is accepted, one of two steps away is not', async (t) => {
  const service = await startService(t)
  for (const secondOfStep of [0, 29])
    for (const [drift, expected] of [
      [-2, '422 invalid_code'],
      [-1, '200'],
      [0, '200'],
      [1, '200'],
      [2, '422 invalid_code'],
    ] as const) {
      const username = `drift${drift}.${secondOfStep}`.replace('-', 'm')
      const { secret } = await enrol(service, username)
      service.clock.advance(300 + secondOfStep)
      const code = totp(secret, service.clock.now() + drift * 30_000)
      const answer = await service.post('/2fa/verify', { code }, await login(service, username))
      t.equal(outcomeOf(answer), expected, `drift of ${drift} steps at second ${secondOfStep}`)
      service.clock.advance(-secondOfStep)
    }
})

t.test('wrong, used and expired codes cannot be told apart', async (t) => {
  const { service, ada } = await withAda(t)
  const expired = totp(ada.secret, service.clock.now() - 120_000)
  const used = nextCode(service, ada)
  await service.post('/2fa/verify', { code: used }, await login(service))
  const answers = []
  for (const code of [wrongCode(service, ada), used, expired])
    answers.push(await service.post('/2fa/verify', { code }, await login(service)))
  const [wrong, ...others] = answers.map(withoutRequestId)
  for (const other of others) t.strictSame(other, wrong)
})
