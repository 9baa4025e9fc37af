import t from 'tap'
import { deliver, enrolWithAddress, notices } from '../helpers/people/mail.ts'
import { accountTokenFor } from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import {
  type Answer,
  enrol,
  login,
  logins,
  nextCode,
  type Reachable,
  type Service,
  startService,
  wrongCode,
} from '../helpers/service/service.ts'

function redeem(service: Reachable, code: string, mfaToken: string): Promise<Answer> {
  return service.post('/2fa/verify', { code, method: 'recovery_code' }, mfaToken)
}

const remaining = async (service: Service, token: string): Promise<number> =>
  (await service.get('/2fa', token)).body.recovery_codes.remaining

t.test('ten codes, each good once; the account can see how many are left, and since when', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const generatedAt = new Date(service.clock.now()).toISOString()
  for (const [used, code] of ada.recoveryCodes.entries()) {
    t.strictSame((await service.get('/2fa', ada.accessToken)).body.recovery_codes, {
      remaining: 10 - used,
      generated_at: generatedAt,
    })
    t.equal((await redeem(service, code, await login(service))).status, 200)
    t.equal(outcomeOf(await redeem(service, code, await login(service))), '422 invalid_code')
  }
  t.equal(await remaining(service, ada.accessToken), 0)
  const { body } = await service.post('/login', { username: 'ada', password: 'correct horse battery' })
  t.strictSame(body.methods, ['totp'], 'none left, none offered')
})

t.test('new codes void the old ones', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  await redeem(service, ada.recoveryCodes[0] ?? '', await login(service))
  service.clock.advance(60)
  const { status, body } = await service.post(
    '/2fa/recovery-codes',
    undefined,
    await accountTokenFor(service, ada.accessToken),
  )
  t.equal(status, 200)
  t.equal(new Set([...body.recovery_codes, ...ada.recoveryCodes]).size, 20)
  t.equal(await remaining(service, ada.accessToken), 10)
  for (const old of ada.recoveryCodes.slice(0, 3))
    t.equal(outcomeOf(await redeem(service, old, await login(service))), '422 invalid_code')
  t.equal((await redeem(service, body.recovery_codes[9], await login(service))).status, 200)
})

t.test('an account without a factor has no recovery codes to make', async (t) => {
  const service = await startService(t, { environment: { MFA_POLICY: 'optional' } })
  await service.post('/register', { username: 'ada', password: 'correct horse battery' })
  const { body } = await service.post('/login', { username: 'ada', password: 'correct horse battery' })
  isProblem(
    t,
    await service.post('/2fa/recovery-codes', undefined, await accountTokenFor(service, body.access_token)),
    'not_enrolled',
  )
})

t.test('a code that is used while new ones are made works before that or not at all', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  let codes = ada.recoveryCodes
  for (let round = 0; round < 4; round += 1) {
    const mfaToken = await login(service)
    const [old = '', other = ''] = codes
    const attempts = [
      () => redeem(service, old, mfaToken),
      async () =>
        service.post('/2fa/recovery-codes', undefined, await accountTokenFor(service, ada.accessToken)),
    ]
    if (round % 2) attempts.reverse()
    const answers = await Promise.all(attempts.map((attempt) => attempt()))
    if (round % 2) answers.reverse()
    t.match(outcomeOf(answers[0] as Answer), /^(200|422 invalid_code)$/)
    t.equal(answers[1]?.status, 200)
    t.equal(await remaining(service, ada.accessToken), 10, 'the new ones are untouched')
    t.equal(
      outcomeOf(await redeem(service, other, await login(service))),
      '422 invalid_code',
      'the old are void',
    )
    codes = answers[1]?.body.recovery_codes
  }
})

t.test('of two renewals at once, the codes of one are in force', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const answers = await burst(5, async () => service.post('/2fa/recovery-codes', undefined, ada.accountToken))
  t.strictSame(tally(answers), { 200: 1, '401 invalid_token': 4 })
  t.equal(await remaining(service, ada.accessToken), 10)
  const codes = answers.find(({ status }) => status === 200)?.body.recovery_codes
  t.equal((await redeem(service, codes[0], await login(service))).status, 200)
})

t.test('one code, and ten different ones, among two processes on one database file', async (t) => {
  const environment = await sharedEnvironment(t)
  const [first, second] = await Promise.all([startProcess(t, environment), startProcess(t, environment)])
  const of = (index: number) => (index % 2 ? first : second)
  const ada = await enrol(first, 'ada')
  const tokens = await logins(second, 30, 'ada')
  const [code = ''] = ada.recoveryCodes
  const one = await burst(30, (index) => redeem(of(index), code, tokens[index] ?? ''))
  t.equal(tally(one)['200'], 1, JSON.stringify(tally(one)))

  const grace = await enrol(first, 'grace')
  const others = await logins(second, 10, 'grace')
  const ten = await burst(10, (index) =>
    redeem(of(index), grace.recoveryCodes[index] ?? '', others[index] ?? ''),
  )
  t.strictSame(tally(ten), { 200: 10 }, 'none is lost')
})

t.test('a pause of the authenticator does not hold up a recovery code', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  for (const mfaToken of await logins(service, 10))
    await service.post('/2fa/verify', { code: wrongCode(service, ada) }, mfaToken)
  const mfaToken = await login(service)
  const code = totp(ada.secret, service.clock.now() + 30_000)
  isProblem(t, await service.post('/2fa/verify', { code }, mfaToken), 'too_many_attempts')
  t.equal((await redeem(service, ada.recoveryCodes[0] ?? '', mfaToken)).status, 200)
})

t.test('the owner is told of each use, and from two on that few are left', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  const told: string[] = []
  for (const code of ada.recoveryCodes) {
    await redeem(service, code, await login(service))
    told.push(...notices(await deliver(service)))
  }
  t.strictSame(told, [
    ...Array(7).fill('a recovery code was used → ada@example.com'),
    ...Array(3).fill('few recovery codes are left → ada@example.com'),
  ])
  t.match(service.smtp.mails.at(-1)?.text, /From: IP address 127\.0\.0\.1/)
  service.clock.advance(30)
  const code = nextCode(service, ada)
  const { body } = await service.post('/2fa/step-up', { code }, ada.accessToken)
  await service.post('/2fa/recovery-codes', undefined, await accountTokenFor(service, body.access_token))
  t.strictSame(notices(await deliver(service)), ['new recovery codes → ada@example.com'])
})
