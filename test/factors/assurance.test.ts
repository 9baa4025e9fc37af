import t from 'tap'
import { kindsOf } from '../helpers/people/factors.ts'
import {
  deliver,
  enrolByEmail,
  enrolWithAddress,
  enrolWithCodes,
  type MailingService,
  mailedCode,
  notices,
  signInByEmail,
} from '../helpers/people/mail.ts'
import {
  accountTokenFor,
  claimsOf,
  isAlive,
  refresh,
  type SignedIn,
  signedInBy,
} from '../helpers/people/sessions.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import {
  enrol,
  nextCode,
  PASSWORD,
  register,
  type Service,
  startService,
} from '../helpers/service/service.ts'

/** `acr` and `amr` say what is so: they rise with a factor and fall without it, at a refresh too. */

const optional = { MFA_POLICY: 'optional' }

async function byPassword(service: Service, username = 'ada'): Promise<SignedIn> {
  return signedInBy(await service.post('/login', { username, password: PASSWORD }))
}

async function setUp(service: Service, accessToken: string): Promise<{ secret: string }> {
  return (await service.post('/2fa/setup', undefined, await accountTokenFor(service, accessToken))).body
}

t.test(
  'an authenticator that is enrolled later opens a session of its level and ends all others',
  async (t) => {
    const service = await startService(t, { environment: optional })
    await register(service)
    const weaker = await byPassword(service)
    const mine = await byPassword(service)
    const { secret } = await setUp(service, mine.accessToken)
    const confirmed = await service.post(
      '/2fa/setup/confirm',
      { code: nextCode(service, { secret }) },
      await accountTokenFor(service, mine.accessToken),
    )
    t.equal(confirmed.status, 200)
    t.equal(confirmed.body.recovery_codes.length, 10)
    const raised = signedInBy(confirmed)
    t.match(claimsOf(raised.accessToken), { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] })
    t.notOk(await isAlive(service, weaker.accessToken))
    t.equal(outcomeOf(await refresh(service, weaker.refreshToken)), '401 invalid_refresh_token')
    t.equal(outcomeOf(await refresh(service, mine.refreshToken)), '401 invalid_refresh_token', 'one is out')
    t.match(claimsOf((await refresh(service, raised.refreshToken)).body.access_token), { acr: 'aal2' })
  },
)

t.test('a sign-in with an authenticator ends no other session', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithCodes(service)
  const byMail = await signInByEmail(service)
  const mfaToken = (await service.post('/login', { username: 'ada', password: PASSWORD })).body.mfa_token
  await service.post('/2fa/verify', { code: nextCode(service, ada) }, mfaToken)
  t.ok(await isAlive(service, byMail.body.access_token))
})

t.test('an authenticator that joins a mailbox ends the sessions that only the mailbox opened', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolByEmail(service)
  const other = await signInByEmail(service)
  const { secret } = await setUp(service, ada.accessToken)
  const code = nextCode(service, { secret })
  const confirmed = await service.post(
    '/2fa/setup/confirm',
    { code },
    await accountTokenFor(service, ada.accessToken),
  )
  t.equal(confirmed.status, 200)
  t.notOk(confirmed.body.recovery_codes, 'there are recovery codes already')
  t.match(claimsOf(confirmed.body.access_token), { acr: 'aal2' })
  t.notOk(await isAlive(service, other.body.access_token))
  const again = await signInByEmail(service)
  t.match(claimsOf(again.body.access_token), { acr: 'aal1', amr: ['pwd', 'email', 'mfa'] })
  const answer = { code: ada.recoveryCodes[0], method: 'recovery_code' }
  const token = (await service.post('/login', { username: 'ada', password: PASSWORD })).body.mfa_token
  t.equal((await service.post('/2fa/verify', answer, token)).status, 200, 'and they are still good')
})

t.test('a session is as sure as a password once the factors are removed', async (t) => {
  const service = await startService(t, { mail: true, environment: optional })
  const ada = await enrolWithCodes(service)
  service.clock.advance(60)
  const mailed = await signInByEmail(service)
  const { status, body } = await service.delete('/2fa', await accountTokenFor(service, ada.accessToken))
  t.equal(status, 200)
  t.match(claimsOf(body.access_token), { acr: 'aal1', amr: ['pwd'] })
  t.match(claimsOf((await refresh(service, body.refresh_token)).body.access_token), {
    acr: 'aal1',
    amr: ['pwd'],
  })
  for (const { access_token, refresh_token } of [
    { access_token: ada.accessToken, refresh_token: ada.refreshToken },
    mailed.body,
  ]) {
    t.notOk(await isAlive(service, access_token), 'every older session has ended')
    t.equal(outcomeOf(await refresh(service, refresh_token)), '401 invalid_refresh_token')
  }
  const left = (await service.get('/2fa', body.access_token)).body
  t.match(left, { recovery_codes: { remaining: 0, generated_at: null } })
  t.strictSame(left.factors, [])
  t.match((await service.get('/me', body.access_token)).body, { two_factor_enabled: false })
  t.match(claimsOf((await byPassword(service)).accessToken), { acr: 'aal1', amr: ['pwd'] })
  const told = notices(await deliver(service)).filter((notice) => /removed/.test(notice))
  t.strictSame(told, Array(2).fill('a second factor was removed → ada@example.com'), 'a mail for each kind')
  for (const [method, code] of [
    ['totp', nextCode(service, ada)],
    ['recovery_code', ada.recoveryCodes[0]],
  ] as const)
    t.not((await service.post('/2fa/step-up', { code, method }, body.access_token)).status, 200, method)
})

t.test('removing what is not there tells nobody of it', async (t) => {
  const service = await startService(t, { mail: true, environment: optional })
  const ada = await enrolWithAddress(service)
  const { body } = await service.delete('/2fa', await accountTokenFor(service, ada.accessToken))
  await deliver(service)
  t.equal((await service.delete('/2fa', await accountTokenFor(service, body.access_token))).status, 200)
  t.strictSame(await deliver(service), [])
})

t.test('where everybody must have a factor, none is removed', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  isProblem(
    t,
    await service.delete('/2fa', await accountTokenFor(service, ada.accessToken)),
    'two_factor_required',
  )
  t.strictSame(await kindsOf(service, ada.accessToken), ['totp'])
})

t.test('a session below the best factor removes none', async (t) => {
  const service = await startService(t, { mail: true, environment: optional })
  await enrolWithCodes(service)
  const byMail = await signInByEmail(service)
  const refused = await service.delete('/2fa', await accountTokenFor(service, byMail.body.access_token))
  t.equal(outcomeOf(refused), '401 insufficient_user_authentication')
})

t.test('after a removal, enrolling begins again: with new recovery codes, by whatever factor', async (t) => {
  const required = await startService(t, { mail: true })
  const ada = await enrolByEmail(required)
  const { databaseUrl, clock } = required
  const service = await startService(t, { mail: true, databaseUrl, clock, environment: optional })
  t.equal((await service.delete('/2fa', await accountTokenFor(service, ada.accessToken))).status, 200)
  const session = await byPassword(service)
  const { secret } = await setUp(service, session.accessToken)
  const code = nextCode(service, { secret })
  const confirmed = await service.post(
    '/2fa/setup/confirm',
    { code },
    await accountTokenFor(service, session.accessToken),
  )
  t.equal(confirmed.body.recovery_codes.length, 10)
  const token = (await service.post('/login', { username: 'ada', password: PASSWORD })).body.mfa_token
  const old = { code: ada.recoveryCodes[0], method: 'recovery_code' }
  t.equal(outcomeOf(await service.post('/2fa/verify', old, token)), '422 invalid_code')
})

t.test('codes by mail that are switched off leave no account to its password alone', async (t) => {
  const on = await startService(t, { mail: true })
  const ada = await enrolByEmail(on)
  await on.close()
  const { databaseUrl, clock } = on
  const off = await startService(t, {
    mail: true,
    databaseUrl,
    clock,
    environment: { ...optional, EMAIL_CODES: 'off' },
  })
  const { body } = await off.post('/login', { username: 'ada', password: PASSWORD })
  t.match(body, { mfa_required: true, enrolled: true, methods: ['recovery_code'] })
  isProblem(t, await off.post('/2fa/setup', undefined, body.mfa_token), 'already_enrolled')
  const verified = await recover(off, ada.recoveryCodes[0] ?? '', body.mfa_token)
  const { secret } = await setUp(off, verified.accessToken)
  const code = nextCode(off, { secret })
  const confirmed = await off.post(
    '/2fa/setup/confirm',
    { code },
    await accountTokenFor(off, verified.accessToken),
  )
  t.equal(confirmed.status, 200, 'a recovery code leads to another factor')
})

async function recover(service: MailingService, code: string, mfaToken: string): Promise<SignedIn> {
  return signedInBy(await service.post('/2fa/verify', { code, method: 'recovery_code' }, mfaToken))
}

t.test('the mailbox alone is as good as itself: its session may change factors', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolByEmail(service)
  const renewed = await service.post(
    '/2fa/recovery-codes',
    undefined,
    await accountTokenFor(service, ada.accessToken),
  )
  t.equal(renewed.body.recovery_codes.length, 10)
  const stale = await service.post('/2fa/recovery-codes', undefined, ada.accessToken)
  t.equal(stale.status, 401)
  t.match(stale.headers['www-authenticate'], /acr_values="aal1"/)
  const again = await enrolAgain(service)
  t.equal(
    (await service.post('/2fa/recovery-codes', undefined, await accountTokenFor(service, again))).status,
    200,
  )
})

async function enrolAgain(service: MailingService): Promise<string> {
  const mfaToken = (await service.post('/login', { username: 'ada', password: PASSWORD })).body.mfa_token
  const code = await mailedCode(service, mfaToken)
  return (await service.post('/2fa/verify', { code, method: 'email' }, mfaToken)).body.access_token
}

t.test(
  'an authenticator that was never confirmed does not stand between a password and its owner',
  async (t) => {
    const service = await startService(t, { environment: optional })
    await register(service)
    const { secret } = await setUp(service, (await byPassword(service)).accessToken)
    t.ok(await isAlive(service, (await byPassword(service)).accessToken))
    const { accessToken } = await byPassword(service)
    const code = nextCode(service, { secret })
    isProblem(t, await service.post('/2fa/step-up', { code }, accessToken), 'not_enrolled')
    t.strictSame(await kindsOf(service, accessToken), [])
  },
)

t.test('a factor of one account says nothing about another', async (t) => {
  const service = await startService(t, { environment: optional })
  await enrol(service, 'grace')
  await register(service, 'ada')
  t.match(claimsOf((await byPassword(service, 'ada')).accessToken), { acr: 'aal1', amr: ['pwd'] })
})
