import t from 'tap'
import { inTransaction } from '../../src/platform/database.ts'
import type { Session } from '../../src/tokens/session.ts'
import { failing } from '../helpers/faults/faults.ts'
import {
  accountTokenFor,
  claimsOf,
  isAlive,
  refresh,
  signedInBy,
  signIn,
} from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import {
  type Answer,
  enrol,
  login,
  nextCode,
  PASSWORD,
  register,
  type Service,
  startService,
  wrongCode,
} from '../helpers/service/service.ts'

const OPTIONAL = { MFA_POLICY: 'optional' }

const stepUp = (service: Service, token: string, code: string, method?: string) =>
  service.post('/2fa/step-up', { code, ...(method && { method }) }, token)

/** What changes a factor or a credential; each answers with something else than 401 to an account token. */
const GUARDED: Record<string, (service: Service, token?: string) => Promise<Answer>> = {
  'POST /2fa/setup': (service, token) => service.post('/2fa/setup', undefined, token),
  'POST /2fa/setup/confirm': (service, token) =>
    service.post('/2fa/setup/confirm', { code: '000000' }, token),
  'POST /2fa/recovery-codes': (service, token) => service.post('/2fa/recovery-codes', undefined, token),
  'DELETE /2fa': (service, token) => service.delete('/2fa', token),
  'POST /password/change': (service, token) =>
    service.post(
      '/password/change',
      { current_password: 'wrong', new_password: 'another long password' },
      token,
    ),
  'PUT /2fa/email': (service, token) => service.put('/2fa/email', { enabled: true }, token),
  'PUT /me/email': (service, token) =>
    service.post('/me/email', { email: 'a@b.example' }, token, { method: 'PUT' }),
  'DELETE /me': (service, token) => service.delete('/me', token),
}

t.test('no token and a bad token are told apart as RFC 6750 has it', async (t) => {
  const service = await startService(t)
  for (const [route, call] of Object.entries({
    ...GUARDED,
    'GET /me': (service: Service, token?: string) => service.get('/me', token),
    'POST /2fa/step-up': (service: Service, token?: string) =>
      service.post('/2fa/step-up', { code: '0' }, token),
    'POST /2fa/verify': (service: Service, token?: string) =>
      service.post('/2fa/verify', { code: '0' }, token),
  })) {
    const [missing, bad] = [await call(service), await call(service, 'bad')]
    t.strictSame([missing, bad].map(outcomeOf), ['401 invalid_token', '401 invalid_token'], route)
    t.equal(missing.headers['www-authenticate'], 'Bearer')
    t.equal(bad.headers['www-authenticate'], 'Bearer error="invalid_token"')
  }
})

t.test('a step-up makes a new token of the same session, and the refresh token stays', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  service.clock.advance(500)
  const code = nextCode(service, ada)
  const { status, headers, body } = await stepUp(service, ada.accessToken, code)
  t.equal(status, 200)
  t.equal(headers['cache-control'], 'no-store')
  t.strictSame(Object.keys(body).sort(), ['access_token', 'expires_in', 'token_type'])
  t.match(body, { token_type: 'Bearer', expires_in: 600 })
  const [before, after] = [claimsOf(ada.accessToken), claimsOf(body.access_token)]
  t.equal(after.auth_time, before.auth_time + 530)
  t.equal(after.sid, before.sid)
  t.not(after.jti, before.jti)
  const refreshed = signedInBy(await refresh(service, ada.refreshToken))
  t.equal(claimsOf(refreshed.accessToken).auth_time, after.auth_time, 'the session has shown its factor then')
})

t.test('a recovery code steps up as well, and says so', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const [code = ''] = ada.recoveryCodes
  const { body } = await stepUp(service, ada.accessToken, code, 'recovery_code')
  t.match(claimsOf(body.access_token), { acr: 'aal2', amr: ['pwd', 'recovery', 'mfa'] })
  t.equal(outcomeOf(await stepUp(service, ada.accessToken, code, 'recovery_code')), '422 invalid_code')
})

// The attack: to re-authenticate in somebody's session with one's own factor (GHSA-97r5-pg8x-p63p).
t.test("nobody steps up in another account's session with codes of their own", async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const mallory = await enrol(service, 'mallory')
  const code = nextCode(service, mallory)
  const [recoveryCode = ''] = mallory.recoveryCodes
  const answers = [
    await stepUp(service, ada.accessToken, code),
    await stepUp(service, ada.accessToken, recoveryCode, 'recovery_code'),
  ]
  t.strictSame(tally(answers), { '422 invalid_code': 2 })
  t.equal((await stepUp(service, mallory.accessToken, code)).status, 200, 'the code is unspent')
  t.equal((await stepUp(service, mallory.accessToken, recoveryCode, 'recovery_code')).status, 200)
})

// The attack: a code is good once, but each route might keep its own account of that.
t.test('a code that one route took is refused by every other', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  t.equal(
    outcomeOf(await stepUp(service, ada.accessToken, ada.confirmingCode)),
    '422 invalid_code',
    'enrolment',
  )

  const verified = nextCode(service, ada)
  t.equal((await service.post('/2fa/verify', { code: verified }, await login(service))).status, 200)
  t.equal(outcomeOf(await stepUp(service, ada.accessToken, verified)), '422 invalid_code', 'verify, step-up')

  const steppedUp = nextCode(service, ada)
  t.equal((await stepUp(service, ada.accessToken, steppedUp)).status, 200)
  const verify = await service.post('/2fa/verify', { code: steppedUp }, await login(service))
  t.equal(outcomeOf(verify), '422 invalid_code', 'step-up, verify')
  t.equal(
    outcomeOf(await stepUp(service, ada.accessToken, steppedUp)),
    '422 invalid_code',
    'step-up, step-up',
  )

  const { body } = await service.post(
    '/2fa/setup',
    undefined,
    await accountTokenFor(service, ada.accessToken),
  )
  const confirmed = totp(body.secret, service.clock.now())
  const after = await service.post(
    '/2fa/setup/confirm',
    { code: confirmed },
    await accountTokenFor(service, ada.accessToken),
  )
  t.equal(after.status, 200)
  t.equal(
    outcomeOf(await stepUp(service, after.body.access_token, confirmed)),
    '422 invalid_code',
    'confirm, step-up',
  )
})

t.test('a code that two routes get at once is taken by one', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const code = nextCode(service, ada)
  const mfaTokens = await Promise.all([login(service), login(service), login(service)])
  const answers = await burst(9, (index) =>
    index % 3
      ? stepUp(service, ada.accessToken, code)
      : service.post('/2fa/verify', { code }, mfaTokens[index / 3]),
  )
  const { '429 too_many_attempts': over = 0, '422 invalid_code': refused = 0, 200: won } = tally(answers)
  t.strictSame([won, refused + over], [1, 8], 'five wrong step-ups in a row end the step-ups of the session')
})

t.test('wrong codes count for the account and the factor, whichever route they come by', async (t) => {
  const service = await startService(t)
  const [ada, grace] = [await enrol(service), await enrol(service, 'grace')]
  service.clock.advance(30)
  const wrong = wrongCode(service, ada)
  const other = await service.post(
    '/2fa/verify',
    { code: ada.recoveryCodes[1], method: 'recovery_code' },
    await login(service),
  )
  for (let count = 1; count <= 4; count++) await stepUp(service, ada.accessToken, wrong)
  await stepUp(service, other.body.access_token, wrong)
  const mfaToken = await login(service)
  for (let count = 1; count <= 5; count++) await service.post('/2fa/verify', { code: wrong }, mfaToken)

  const right = totp(ada.secret, service.clock.now())
  const paused = await stepUp(service, ada.accessToken, right)
  t.equal(outcomeOf(paused), '429 too_many_attempts')
  t.equal(paused.headers['retry-after'], '30')
  const verify = await service.post('/2fa/verify', { code: right }, await login(service))
  t.equal(outcomeOf(verify), '429 too_many_attempts')
  const [code = ''] = ada.recoveryCodes
  t.equal(
    (await stepUp(service, ada.accessToken, code, 'recovery_code')).status,
    200,
    'another factor is open',
  )
  const graces = totp(grace.secret, service.clock.now())
  t.equal((await stepUp(service, grace.accessToken, graces)).status, 200, 'another account is not slowed')

  service.clock.advance(30)
  t.equal((await stepUp(service, ada.accessToken, totp(ada.secret, service.clock.now()))).status, 200)
})

t.test('a burst of wrong codes in one session gets five looks, and then its step-ups are over', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const wrong = wrongCode(service, ada)
  const answers = await burst(40, () => stepUp(service, ada.accessToken, wrong))
  t.strictSame(tally(answers), { '422 invalid_code': 5, '429 too_many_attempts': 35 })
  const late = await stepUp(service, ada.accessToken, nextCode(service, ada))
  t.match(late, { status: 429, body: { code: 'too_many_attempts', reason: 'sign_in_again' } })
  t.equal(late.headers['retry-after'], undefined, 'waiting does not help')
  t.ok(await isAlive(service, ada.accessToken), 'the session can do all else')
  const { accessToken } = await signIn(service, ada)
  t.equal((await stepUp(service, accessToken, nextCode(service, ada))).status, 200, 'another one is open')
})

t.test('wrong answers of every kind count for a session, until a right one', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  service.clock.advance(30)
  const wrong = async (rounds: number) => {
    for (let round = 0; round < rounds; round += 1) {
      t.equal(outcomeOf(await stepUp(service, ada.accessToken, wrongCode(service, ada))), '422 invalid_code')
      const body = { code: wrongCode(service, ada), password: 'not her password' }
      t.equal(outcomeOf(await service.post('/2fa/step-up', body, ada.accessToken)), '401 invalid_credentials')
    }
  }
  await wrong(2)
  t.equal((await stepUp(service, ada.accessToken, nextCode(service, ada))).status, 200)
  await wrong(2)
  t.equal(outcomeOf(await stepUp(service, ada.accessToken, wrongCode(service, ada))), '422 invalid_code')
  t.equal(outcomeOf(await stepUp(service, ada.accessToken, nextCode(service, ada))), '429 too_many_attempts')
})

t.test('wrong codes with the right password count for a session as well', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  service.clock.advance(30)
  const answers: Answer[] = []
  // One after the other: of a burst, all would be counted before the first one could be taken back.
  for (let count = 1; count <= 7; count += 1) {
    const body = { code: wrongCode(service, ada), password: PASSWORD }
    answers.push(await service.post('/2fa/step-up', body, ada.accessToken))
  }
  t.strictSame(tally(answers), { '422 invalid_code': 5, '429 too_many_attempts': 2 })
})

t.test('there is no step-up without a factor, nor by a code that only confirms one', async (t) => {
  const service = await startService(t, { environment: OPTIONAL })
  await register(service)
  const { accessToken } = signedInBy(await service.post('/login', { username: 'ada', password: PASSWORD }))
  t.equal(outcomeOf(await stepUp(service, accessToken, '123456')), '409 not_enrolled')

  const { body } = await service.post('/2fa/setup', undefined, await accountTokenFor(service, accessToken))
  const code = totp(body.secret, service.clock.now())
  t.equal(outcomeOf(await stepUp(service, accessToken, code)), '409 not_enrolled')
  const confirmed = await service.post(
    '/2fa/setup/confirm',
    { code },
    await accountTokenFor(service, accessToken),
  )
  t.equal(confirmed.body.recovery_codes?.length, 10, 'the owner is shown the recovery codes')
})

t.test('a step-up that cannot be stored gives no token and takes no code', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const code = nextCode(service, ada)
  const attempt = () => stepUp(service, ada.accessToken, code)
  t.equal(outcomeOf(await failing(service, ['update', 'sessions'], attempt)), '503 unavailable')
  t.equal((await attempt()).status, 200)
})

t.test('a right password whose code was not looked at does not use up a step-up', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const { accessToken } = ada
  for (let signIns = 0; signIns < 2; signIns += 1) {
    const mfaToken = await login(service)
    for (let guess = 0; guess < 5; guess += 1)
      await service.post('/2fa/verify', { code: wrongCode(service, ada) }, mfaToken)
  }
  const shown = () => ({ code: totp(ada.secret, service.clock.now() + 30_000), password: PASSWORD })
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const { status, body } = await service.post('/2fa/step-up', shown(), accessToken)
    t.match(
      { status, reason: body.reason },
      { status: 429, reason: undefined },
      'the authenticator is paused',
    )
  }
  service.clock.advance(60)
  t.equal((await service.post('/2fa/step-up', shown(), accessToken)).status, 200)
})

t.test('a step-up that is taken back after a success leaves no room for a sixth', async (t) => {
  const service = await startService(t)
  const { accessToken } = await enrol(service)
  const { db, deps } = service
  const session = await deps.sessions.find(db, claimsOf(accessToken).sid as string)
  await inTransaction(db, (trx) => deps.sessions.uncountStepUp(trx, session as Session))
  const row = await db.selectFrom('sessions').select('step_up_attempts').executeTakeFirstOrThrow()
  t.equal(row.step_up_attempts, 0)
})
