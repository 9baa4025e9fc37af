// The attack: an address that is not proven, mistyped at registration or given by a stranger, receives the codes
// of an account that has an authenticator. With the password, its mailbox went around the authenticator, became a
// factor, and got the notices and the resets from then on. And a mailbox that its owner has proven, but does not want
// as a second factor, is one all the same.
import t from 'tap'
import { factorId, kindsOf } from '../helpers/people/factors.ts'
import {
  answerByEmail,
  deliver,
  enrolByEmail,
  enrolWithAddress,
  enrolWithCodes,
  giveAddress,
  mailedCode,
  notices,
  registerWithEmail,
  signInByEmail,
  switchCodes,
} from '../helpers/people/mail.ts'
import { accountTokenFor, claimsOf, isAlive, signedInBy, signIn } from '../helpers/people/sessions.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { setFailures } from '../helpers/service/failures.ts'
import {
  type Answer,
  enrol,
  login,
  type MailingService,
  nextCode,
  PASSWORD,
  type Service,
  startService,
} from '../helpers/service/service.ts'

const offer = async (service: Service, username = 'ada') =>
  (await service.post('/login', { username, password: PASSWORD })).body

const OPTIONAL = { MFA_POLICY: 'optional' }

t.test('an unproven address does not go around an authenticator', async (t) => {
  const service = await startService(t, { mail: true })
  const { mfaToken } = await registerWithEmail(service, 'ada', 'ada@exmaple.com')
  const { body: setup } = await service.post('/2fa/setup', undefined, mfaToken)
  const code = nextCode(service, setup)
  const ada = signedInBy(await service.post('/2fa/verify', { code }, mfaToken))

  const { methods, mfa_token: stolen } = await offer(service)
  t.strictSame(methods, ['totp', 'recovery_code'])
  isProblem(t, await service.post('/2fa/email', undefined, stolen), 'email_unavailable')
  isProblem(t, await answerByEmail(service, '000000', stolen), 'email_unavailable')
  isProblem(t, await switchCodes(service, ada.accessToken, true), 'email_unavailable')
  t.strictSame(service.smtp.mails, [])
  t.match((await service.get('/me', ada.accessToken)).body, { email_verified: false })
})

t.test('a code that was mailed before the authenticator came answers nothing after it', async (t) => {
  const service = await startService(t, { mail: true })
  const { mfaToken } = await registerWithEmail(service, 'ada', 'ada@exmaple.com')
  const stolen = await login(service)
  const mailed = await mailedCode(service, stolen)
  const { body: setup } = await service.post('/2fa/setup', undefined, mfaToken)
  const code = nextCode(service, setup)
  t.equal((await service.post('/2fa/verify', { code }, mfaToken)).status, 200)
  isProblem(t, await answerByEmail(service, mailed, stolen), 'email_unavailable')
})

t.test(
  'a proven address of an account with an authenticator gets no codes unless its owner wants them',
  async (t) => {
    const service = await startService(t, { mail: true })
    const ada = await enrolWithAddress(service)
    const { methods, mfa_token } = await offer(service)
    t.strictSame(methods, ['totp', 'recovery_code'])
    isProblem(t, await service.post('/2fa/email', undefined, mfa_token), 'email_unavailable')
    t.strictSame(await kindsOf(service, ada.accessToken), ['totp'])

    t.equal((await switchCodes(service, ada.accessToken, true)).status, 204)
    t.strictSame((await offer(service)).methods, ['totp', 'email', 'recovery_code'])
    t.strictSame(await kindsOf(service, ada.accessToken), ['totp', 'email'])
    t.strictSame(notices(await deliver(service)), ['codes by mail were switched on → ada@example.com'])
    const { body } = await signInByEmail(service)
    t.match(claimsOf(body.access_token), { acr: 'aal1', amr: ['pwd', 'email', 'mfa'] })
    t.notOk(body.recovery_codes)
  },
)

t.test('what switches them on is an account token at the best level, once', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  const put = (token: string, body: object = { enabled: true }) => service.put('/2fa/email', body, token)
  isProblem(t, await put(ada.accessToken), 'insufficient_user_authentication')
  const token = await accountTokenFor(service, ada.accessToken)
  isProblem(t, await put(token, {}), 'validation_failed')
  isProblem(t, await put(token, { enabled: 'true' }), 'validation_failed')
  t.strictSame(tally(await burst(5, () => put(token))), { 204: 1, '401 invalid_token': 4 })
  await deliver(service)

  const byMail = await signInByEmail(service)
  t.equal(byMail.body.account_token, undefined)
  const weak = await accountTokenFor(service, byMail.body.access_token)
  isProblem(t, await put(weak, { enabled: false }), 'insufficient_user_authentication')
  const again = await accountTokenFor(service, ada.accessToken)
  t.equal((await put(again)).status, 204, 'they are on already')
  isProblem(t, await put(again), 'invalid_token')
  t.strictSame(await deliver(service), [])
})

t.test('switched off, they answer nothing, and the sessions that they opened end', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithCodes(service)
  const thief = signedInBy(await signInByEmail(service))
  service.clock.advance(60)
  const mfaToken = await login(service)
  const mailed = await mailedCode(service, mfaToken)

  t.equal((await switchCodes(service, ada.accessToken, false)).status, 204)
  t.notOk(await isAlive(service, thief.accessToken))
  t.ok(await isAlive(service, ada.accessToken))
  isProblem(t, await answerByEmail(service, mailed, mfaToken), 'email_unavailable')
  t.strictSame((await offer(service)).methods, ['totp', 'recovery_code'])
  t.strictSame(await kindsOf(service, ada.accessToken), ['totp'])
  t.match((await service.get('/2fa', ada.accessToken)).body, { recovery_codes: { remaining: 10 } })
  t.strictSame(notices(await deliver(service)), ['codes by mail were switched off → ada@example.com'])
  t.equal((await switchCodes(service, ada.accessToken, false)).status, 204, 'they are off already')
  t.strictSame(await deliver(service), [])
})

t.test('an authenticator of today does not switch off a mailbox that was there before', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolByEmail(service)
  service.clock.advance(60)
  const token = await accountTokenFor(service, ada.accessToken)
  const { secret } = (await service.post('/2fa/setup', undefined, token)).body
  const code = nextCode(service, { secret })
  t.equal((await service.post('/2fa/setup/confirm', { code }, token)).status, 200)
  t.strictSame((await offer(service)).methods, ['totp', 'email', 'recovery_code'], 'it stays on')
  const added = { username: 'ada', secret }
  const off = async () =>
    service.put('/2fa/email', { enabled: false }, (await signIn(service, added)).accountToken)
  t.match(await off(), { status: 401, body: { reason: 'factor_too_new' } })
  service.clock.advance(24 * 3600)
  t.equal((await off()).status, 204)
})

t.test('an authenticator of today switches off a mailbox that was switched on with it', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  service.clock.advance(60)
  const token = await accountTokenFor(service, ada.accessToken)
  const { secret } = (await service.post('/2fa/setup', undefined, token)).body
  const confirmed = { code: nextCode(service, { secret }) }
  t.equal((await service.post('/2fa/setup/confirm', confirmed, token)).status, 200)
  for (const enabled of [true, false]) {
    service.clock.advance(60)
    const { accountToken } = await signIn(service, { username: 'ada', secret })
    t.equal((await service.put('/2fa/email', { enabled }, accountToken)).status, 204, String(enabled))
  }
})

/** Removes the authenticator of an account whose other factor, codes by mail, guesses have closed. */
async function removeAuthenticatorBesideClosedCodes(service: MailingService): Promise<Answer> {
  const ada = await enrolWithCodes(service)
  await setFailures(service, ada.id, 'email', 100)
  const authenticator = await factorId(service, ada.accessToken, 'totp')
  return service.delete(`/2fa/factors/${authenticator}`, await accountTokenFor(service, ada.accessToken))
}

t.test('the last factor that answers stays, where one is required', async (t) => {
  const service = await startService(t, { mail: true })
  const refused = await removeAuthenticatorBesideClosedCodes(service)
  isProblem(t, refused, 'two_factor_required', 'guesses have closed the other one')
})

t.test('guesses at codes by mail remove nothing, where no factor is required', async (t) => {
  const service = await startService(t, { mail: true, environment: OPTIONAL })
  const removed = await removeAuthenticatorBesideClosedCodes(service)
  t.equal(removed.status, 200)
  const left = (await service.get('/2fa', removed.body.access_token)).body
  t.match(left, { factors: [{ kind: 'email' }], recovery_codes: { remaining: 10 } })
})

t.test('where a factor is required, the mailbox that is the only one stays', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolByEmail(service)
  t.strictSame((await offer(service)).methods, ['email', 'recovery_code'], 'with no switch')
  const token = await accountTokenFor(service, ada.accessToken)
  isProblem(t, await service.put('/2fa/email', { enabled: false }, token), 'two_factor_required')
  t.equal((await service.put('/2fa/email', { enabled: true }, token)).status, 204, 'the token was not used')
  t.equal((await signInByEmail(service)).status, 200)
})

t.test('as the only factor it is removed by DELETE /2fa alone, which begins a new session', async (t) => {
  const required = await startService(t, { mail: true })
  const ada = await enrolByEmail(required)
  const { databaseUrl, clock } = required
  const service = await startService(t, { mail: true, environment: OPTIONAL, databaseUrl, clock })
  t.equal(outcomeOf(await switchCodes(service, ada.accessToken, false)), '409 email_unavailable')
  t.strictSame(await kindsOf(service, ada.accessToken), ['email'])
})

t.test('the mailbox does not become the only factor of a session, without recovery codes', async (t) => {
  const service = await startService(t, { mail: true, environment: OPTIONAL })
  const { body } = await service.post('/register', { username: 'ada', password: PASSWORD })
  await giveAddress(service, body.access_token, 'ada@example.com')
  isProblem(t, await switchCodes(service, body.access_token, true), 'email_unavailable')
  t.match((await service.get('/me', body.access_token)).body, { two_factor_enabled: false })
})

t.test('they can be switched off where the service mails no codes any more, and not on', async (t) => {
  const before = await startService(t, { mail: true })
  const ada = await enrolWithCodes(before)
  const { databaseUrl, clock } = before
  const service = await startService(t, {
    mail: true,
    environment: { EMAIL_CODES: 'off' },
    databaseUrl,
    clock,
  })
  isProblem(t, await switchCodes(service, ada.accessToken, true), 'email_unavailable')
  t.equal((await switchCodes(service, ada.accessToken, false)).status, 204)
  t.strictSame((await offer(before)).methods, ['totp', 'recovery_code'])
})

t.test(
  'guesses that have closed codes by mail do not count after they were switched off and on',
  async (t) => {
    const service = await startService(t, { mail: true })
    const ada = await enrolWithCodes(service)
    await setFailures(service, ada.id, 'email', 100)
    t.notOk((await offer(service)).methods.includes('email'), 'closed')
    t.equal((await switchCodes(service, ada.accessToken, false)).status, 204)
    t.equal((await switchCodes(service, ada.accessToken, true)).status, 204)
    t.equal(outcomeOf(await signInByEmail(service)), '200')
  },
)

t.test(
  'an account that had both mailbox and authenticator before there was a switch has it on',
  async (t) => {
    const service = await startService(t, { mail: true })
    const { id } = await enrol(service)
    // What 0.1 has stored after a sign-in by a mailed code.
    const now = service.clock.now()
    await service.db
      .insertInto('mailed_code_factors')
      .values({ account_id: id, enrolled_at: now, password_by_mail_at: null })
      .execute()
    await service.db
      .updateTable('accounts')
      .set({ email: 'ada@example.com', email_verified_at: now })
      .where('id', '=', id)
      .execute()
    t.strictSame((await offer(service)).methods, ['totp', 'email', 'recovery_code'])
    t.equal((await signInByEmail(service)).status, 200)
  },
)
