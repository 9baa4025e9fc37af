import t from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import { operatorCaller } from '../../src/cli/operator.ts'
import { resetFactors } from '../../src/factors/reset.ts'
import { registerWithEmail } from '../helpers/people/mail.ts'
import { isAlive } from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { enrol, login, PASSWORD, type Service, startService } from '../helpers/service/service.ts'

const setUp = (service: Service, mfaToken: string, code?: string) =>
  service.post('/2fa/setup', code === undefined ? undefined : { enrolment_code: code }, mfaToken)

/** As `keyturn users reset-2fa` does it. */
async function reset({ deps }: Service, id: string): Promise<string> {
  const account = (await deps.accounts.byId(id)) as Account
  return (await resetFactors(deps, account, operatorCaller())) as string
}

const offer = async (service: Service) =>
  (await service.post('/login', { username: 'ada', password: PASSWORD })).body

t.test('what readies the mailbox sees the address as it is now, and can refuse the reset', async (t) => {
  const service = await startService(t)
  const { id, accessToken } = await enrol(service)
  const account = (await service.deps.accounts.byId(id)) as Account
  await service.db
    .updateTable('accounts')
    .set({ email: 'new@example.com', email_verified_at: 1 })
    .where('id', '=', id)
    .execute()
  const refusing = resetFactors(service.deps, account, operatorCaller(), async (_trx, { email }) => {
    throw new Error(`not to ${email}`)
  })
  await t.rejects(refusing, { message: 'not to new@example.com' })
  t.ok(await isAlive(service, accessToken), 'nothing has changed')
  t.match((await offer(service)).methods, ['totp'])
})

// The attack: a thief knows the password, closes the factors until the owner asks the operator for help, and is the
// first to sign in after the reset.
t.test('after a reset, the password alone sets up nothing', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const code = await reset(service, ada.id)
  t.notOk(await isAlive(service, ada.accessToken))
  const thief = await offer(service)
  t.match(thief, { mfa_required: true, enrolled: false, enrolment_code_required: true })
  t.strictSame(thief.methods, ['passkey', 'totp'])
  t.equal(outcomeOf(await setUp(service, thief.mfa_token)), '403 enrolment_code_required')
  t.equal(
    outcomeOf(await service.post('/2fa/verify', { code: '000000' }, thief.mfa_token)),
    '403 enrolment_code_required',
  )

  const mfaToken = await login(service)
  const { status, body } = await setUp(service, mfaToken, code.toLowerCase().replaceAll('-', ' '))
  t.equal(status, 200)
  const verified = await service.post(
    '/2fa/verify',
    { code: totp(body.secret, service.clock.now()) },
    mfaToken,
  )
  t.equal(verified.status, 200)
  t.equal(verified.body.recovery_codes.length, 10)
  t.notOk((await offer(service)).enrolment_code_required, 'the confirmation has used it up')
})

t.test('only the sign-in that has shown the code confirms what it set up', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const code = await reset(service, ada.id)
  const own = await login(service)
  const { body } = await setUp(service, own, code)
  const right = () => ({ code: totp(body.secret, service.clock.now()) })

  // Otherwise who knows the password alone guesses at it, five times in each sign-in.
  const thief = await login(service)
  t.equal(outcomeOf(await service.post('/2fa/verify', right(), thief)), '403 enrolment_code_required')
  t.equal((await service.post('/2fa/verify', right(), own)).status, 200)
})

t.test('under the optional policy neither', async (t) => {
  const service = await startService(t, { environment: { MFA_POLICY: 'optional' } })
  const ada = await enrol(service)
  await reset(service, ada.id)
  t.match(await offer(service), { mfa_required: true, enrolment_code_required: true })
})

t.test('no code by mail takes its place', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await registerWithEmail(service)
  await reset(service, ada.id)
  const { mfa_token, methods } = await offer(service)
  t.strictSame(methods, ['passkey', 'totp'])
  const sent = await service.post('/2fa/email', undefined, mfa_token)
  t.equal(outcomeOf(sent), '403 enrolment_code_required')
  const verified = await service.post('/2fa/verify', { code: '000000', method: 'email' }, mfa_token)
  t.equal(outcomeOf(verified), '403 enrolment_code_required')
})

t.test('a setup can be begun again with it, until it is confirmed', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const code = await reset(service, ada.id)
  const mfaToken = await login(service)
  for (let round = 0; round < 6; round += 1) t.equal((await setUp(service, mfaToken, code)).status, 200)
})

t.test('a wrong one counts for the mfa token and for the code, which is void after ten', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const code = await reset(service, ada.id)
  for (let round = 0; round < 2; round += 1) {
    const mfaToken = await login(service)
    for (let left = 4; left >= 0; left -= 1) {
      const answer = await setUp(service, mfaToken, '0000-0000-0000-0000')
      t.match(answer, { status: 422, body: { code: 'invalid_code', attempts_left: left } })
    }
    isProblem(t, await setUp(service, mfaToken, code), 'invalid_token')
  }
  isProblem(t, await setUp(service, await login(service), code), 'invalid_code')
  const next = await reset(service, ada.id)
  t.equal((await setUp(service, await login(service), next)).status, 200, 'the operator makes another')
})

t.test('after seven days it is void, and still needed', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const code = await reset(service, ada.id)
  service.clock.advance(7 * 24 * 3600 - 1)
  t.equal((await setUp(service, await login(service), code)).status, 200)
  service.clock.advance(1)
  isProblem(t, await setUp(service, await login(service), code), 'invalid_code')
  isProblem(t, await setUp(service, await login(service)), 'enrolment_code_required')
})

t.test('an account that owes none takes one, and does not look at it', async (t) => {
  const service = await startService(t)
  const { body } = await service.post('/register', { username: 'ada', password: PASSWORD })
  t.equal((await setUp(service, body.mfa_token, 'ABCD')).status, 200)
})
