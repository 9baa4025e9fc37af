import t from 'tap'
import { closeAuthenticator, pausePassword } from '../helpers/people/locked-out.ts'
import { deliver, enrolByEmail, enrolWithAddress, notices } from '../helpers/people/mail.ts'
import { claimsOf, isAlive } from '../helpers/people/sessions.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { CLOSED, setFailures } from '../helpers/service/failures.ts'
import {
  type Enrolled,
  enrol,
  login,
  nextCode,
  PASSWORD,
  type Service,
  startService,
} from '../helpers/service/service.ts'

const recover = (service: Service, code: string | undefined, password = PASSWORD, username = 'ada') =>
  service.post('/login', { username, password, recovery_code: code })

const remaining = async (service: Service, { accessToken }: Pick<Enrolled, 'accessToken'>) =>
  (await service.get('/2fa', accessToken)).body.recovery_codes.remaining

t.test('a right password with a right recovery code is a sign-in', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const { status, body } = await recover(service, ada.recoveryCodes[0])
  t.equal(status, 200)
  t.match(body, { mfa_required: false, token_type: 'Bearer', account_token: String })
  t.match(claimsOf(body.access_token), { amr: ['pwd', 'recovery', 'mfa'], acr: 'aal2' })
  t.equal((await service.post('/2fa/recovery-codes', undefined, body.account_token)).status, 200)
  t.equal(outcomeOf(await recover(service, ada.recoveryCodes[0])), '422 invalid_code', 'once')
})

t.test('its level is that of the best other factor', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolByEmail(service)
  const { body } = await recover(service, ada.recoveryCodes[0])
  t.match(claimsOf(body.access_token), { amr: ['pwd', 'recovery', 'mfa'], acr: 'aal1' })
})

t.test('of many at once with one code, one signs in', async (t) => {
  const service = await startService(t, { environment: { HASH_QUEUE: '100' } })
  const ada = await enrol(service)
  const answers = await burst(8, () => recover(service, ada.recoveryCodes[0]))
  t.equal(tally(answers)['200'], 1, JSON.stringify(tally(answers)))
})

// The attack: a stranger who knows the name, or the password too, keeps the owner out by wrong guesses.
t.test('no pause of the password, and no authenticator that is closed, stops the owner', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  await closeAuthenticator(service, ada)
  const { body } = await service.post('/login', { username: 'ada', password: PASSWORD })
  t.strictSame(body.methods, ['recovery_code'], 'the authenticator is closed')
  await pausePassword(service)

  const recovered = await recover(service, ada.recoveryCodes[0])
  t.equal(recovered.status, 200)
  service.clock.advance(901)
  const verified = await service.post('/2fa/verify', { code: nextCode(service, ada) }, await login(service))
  t.equal(verified.status, 200, 'with the recovery code the counts begin at zero')
})

t.test('recovery codes never close, and pause nothing', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const wrong = { code: '0000-0000-0000-0000-0000-0000', method: 'recovery_code' }
  for (let round = 0; round < 21; round += 1) {
    const mfaToken = await login(service)
    for (let guess = 0; guess < 5; guess += 1)
      isProblem(t, await service.post('/2fa/verify', wrong, mfaToken), 'invalid_code')
  }
  const right = { code: ada.recoveryCodes[0], method: 'recovery_code' }
  t.equal((await service.post('/2fa/verify', right, await login(service))).status, 200)
})

t.test('ten wrong passwords with a right code void the code, and no other', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const [first, second] = ada.recoveryCodes
  const answers = await burst(10, (index) => recover(service, first, `wrong ${index}`))
  t.strictSame(tally(answers), { '401 invalid_credentials': 10 })
  t.equal(outcomeOf(await recover(service, first)), '422 invalid_code')
  t.equal(outcomeOf(await recover(service, first, 'wrong again')), '401 invalid_credentials')
  const elsewhere = await service.post(
    '/2fa/verify',
    { code: first, method: 'recovery_code' },
    await login(service),
  )
  t.equal(outcomeOf(elsewhere), '422 invalid_code', 'everywhere')
  t.equal((await recover(service, second)).status, 200)
})

t.test('a code that is void is an event, and its owner gets a mail', async (t) => {
  const service = await startService(t, { mail: true })
  const [code] = (await enrolWithAddress(service)).recoveryCodes
  await deliver(service)
  const voided = async () => {
    const events = service.db.selectFrom('audit_events').select('outcome')
    return (await events.where('event', '=', 'recovery_code_voided').execute()).map(({ outcome }) => outcome)
  }
  for (let guess = 0; guess < 9; guess += 1) await recover(service, code, 'wrong')
  t.strictSame([await voided(), await deliver(service)], [[], []], 'nothing is lost yet')
  await burst(3, () => recover(service, code, 'wrong'))
  t.strictSame(await voided(), ['failure'])
  t.strictSame(notices(await deliver(service)), ['a recovery code no longer works → ada@example.com'])
})

t.test('nine do not', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const [code] = ada.recoveryCodes
  for (let guess = 0; guess < 9; guess += 1) await recover(service, code, `wrong ${guess}`)
  t.equal((await recover(service, code)).status, 200)
})

t.test('with a wrong code, a password is guessed at as without one', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const wrong = '0000-0000-0000-0000-0000-0000'
  t.equal(outcomeOf(await recover(service, wrong)), '422 invalid_code', 'as /2fa/verify would say')
  t.equal(outcomeOf(await recover(service, wrong, 'wrong')), '401 invalid_credentials')
  t.equal(outcomeOf(await recover(service, wrong, PASSWORD, 'nobody')), '401 invalid_credentials')
  await pausePassword(service)
  t.equal(outcomeOf(await recover(service, wrong)), '429 too_many_attempts')
  t.equal(await remaining(service, ada), 10)
})

t.test("a code of another account, or of none, is not the account's", async (t) => {
  const service = await startService(t)
  await enrol(service)
  const grace = await enrol(service, 'grace')
  t.equal(outcomeOf(await recover(service, grace.recoveryCodes[0])), '422 invalid_code')
  t.equal(await remaining(service, grace), 10)
  t.ok(await isAlive(service, grace.accessToken))
})

t.test('a session is stepped up by a recovery code while the authenticator is closed', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  await setFailures(service, ada.id, 'totp', 100, CLOSED)
  const byCode = await service.post('/2fa/step-up', { code: nextCode(service, ada) }, ada.accessToken)
  t.equal(outcomeOf(byCode), '429 too_many_attempts')
  const answer = { code: ada.recoveryCodes[0], method: 'recovery_code', password: PASSWORD }
  const { status, body } = await service.post('/2fa/step-up', answer, ada.accessToken)
  t.equal(status, 200)
  t.ok(body.account_token)
})
