import t from 'tap'
import { enrolByEmail, signInByEmail } from '../helpers/people/mail.ts'
import { claimsOf, headerOf, isAlive, refresh, signedInBy, signIn } from '../helpers/people/sessions.ts'
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
} from '../helpers/service/service.ts'

const OPTIONAL = { MFA_POLICY: 'optional' }
const ANOTHER = 'staple in a haystack'

const renew = (service: Service, token: string) => service.post('/2fa/recovery-codes', undefined, token)
const stepUp = (service: Service, token: string, body: object) => service.post('/2fa/step-up', body, token)
const changePassword = (service: Service, token: string, current: string, next: string) =>
  service.post('/password/change', { current_password: current, new_password: next }, token)

/** What a route that changes the account says to a token that is good, and not good for this. */
const NEEDS_ACCOUNT_TOKEN = {
  status: 401,
  headers: {
    'www-authenticate': 'Bearer error="insufficient_user_authentication", acr_values="aal2", max_age=300',
  },
  body: { code: 'insufficient_user_authentication', needs: 'account_token' },
}

t.test('a sign-in hands out an account token of its session, for 300 s', async (t) => {
  const service = await startService(t)
  const { accessToken, accountToken } = await signIn(service, await enrol(service))
  const [account, access] = [claimsOf(accountToken), claimsOf(accessToken)]
  t.match(headerOf(accountToken), { alg: 'HS256', typ: 'account+jwt' })
  t.match(account, {
    iss: access.iss,
    aud: `${access.iss}/account`,
    sub: access.sub,
    sid: access.sid,
    acr: 'aal2',
    exp: account.iat + 300,
  })
  service.clock.advance(299)
  t.equal((await service.post('/2fa/setup', undefined, accountToken)).status, 200)
  service.clock.advance(1)
  t.equal(outcomeOf(await service.post('/2fa/setup', undefined, accountToken)), '401 invalid_token')
})

t.test('so does a registration or login where no factor is asked for', async (t) => {
  const service = await startService(t, { environment: OPTIONAL })
  const registered = await service.post('/register', { username: 'ada', password: PASSWORD })
  t.match(registered, { status: 201, body: { mfa_required: false, account_expires_in: 300 } })
  const { body } = await service.post('/login', { username: 'ada', password: PASSWORD })
  for (const { account_token } of [registered.body, body])
    t.equal((await service.post('/2fa/setup', undefined, account_token)).status, 200)
})

t.test('an access token changes nothing, and is told what would', async (t) => {
  const service = await startService(t)
  const { accessToken } = await enrol(service)
  t.match(await renew(service, accessToken), NEEDS_ACCOUNT_TOKEN)
  t.match(await service.post('/2fa/setup', undefined, accessToken), NEEDS_ACCOUNT_TOKEN)
})

t.test('an account token opens no other route', async (t) => {
  const service = await startService(t)
  const { accountToken } = await enrol(service)
  t.notOk(await isAlive(service, accountToken))
  t.equal(outcomeOf(await stepUp(service, accountToken, { code: '000000' })), '401 invalid_token')
  t.equal(outcomeOf(await service.post('/2fa/verify', { code: '000000' }, accountToken)), '401 invalid_token')
})

t.test('it is good for one change, and every other account token of the account goes with it', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const other = await signIn(service, ada)
  t.equal((await renew(service, ada.accountToken)).status, 200)
  t.strictSame(
    [await renew(service, ada.accountToken), await renew(service, other.accountToken)].map(outcomeOf),
    ['401 invalid_token', '401 invalid_token'],
  )
  t.ok(await isAlive(service, other.accessToken), 'the sessions go on')
})

t.test('of many changes by one token at once, one is made', async (t) => {
  const service = await startService(t)
  const { accountToken } = await enrol(service)
  const answers = await burst(8, () => renew(service, accountToken))
  t.strictSame(tally(answers), { 200: 1, '401 invalid_token': 7 })
})

t.test('what prepares a change, or fails, leaves it', async (t) => {
  const service = await startService(t)
  const { accountToken } = await enrol(service)
  t.equal((await service.post('/2fa/setup', undefined, accountToken)).status, 200)
  const { body } = await service.post('/2fa/setup', undefined, accountToken)
  const confirm = (code: string) => service.post('/2fa/setup/confirm', { code }, accountToken)
  t.equal(outcomeOf(await confirm('000000')), '422 invalid_code')
  t.equal(
    outcomeOf(await changePassword(service, accountToken, 'not hers at all', ANOTHER)),
    '401 invalid_credentials',
  )
  t.equal((await confirm(totp(body.secret, service.clock.now()))).status, 200)
  t.equal(outcomeOf(await confirm('000000')), '401 invalid_token')
})

t.test('neither a refresh nor a change hands one out', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const refreshed = await refresh(service, ada.refreshToken)
  const changed = await changePassword(service, ada.accountToken, PASSWORD, ANOTHER)
  for (const { status, body } of [refreshed, changed])
    t.strictSame([status, body.account_token, body.account_expires_in], [200, undefined, undefined])
})

t.test('a step-up hands one out where the password was shown within 300 s', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  service.clock.advance(240)
  const soon = await stepUp(service, ada.accessToken, { code: nextCode(service, ada) })
  t.match(soon, { status: 200, body: { account_token: String, account_expires_in: 300 } })
  service.clock.advance(60)
  const late = await stepUp(service, ada.accessToken, { code: nextCode(service, ada) })
  t.strictSame([late.status, late.body.account_token], [200, undefined])
  const code = nextCode(service, ada)
  const both = await stepUp(service, ada.accessToken, { code, password: PASSWORD })
  t.equal((await renew(service, both.body.account_token)).status, 200)
})

t.test('a step-up by a recovery code counts as the best factor', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  service.clock.advance(500)
  const [code] = ada.recoveryCodes
  const answer = await stepUp(service, ada.accessToken, { code, method: 'recovery_code', password: PASSWORD })
  t.equal((await renew(service, answer.body.account_token)).status, 200)
})

t.test('the password alone is a step-up where the account has nothing better', async (t) => {
  const service = await startService(t, { environment: OPTIONAL })
  await register(service)
  const { body } = await service.post('/login', { username: 'ada', password: PASSWORD })
  service.clock.advance(400)
  const byPassword = { method: 'password', password: PASSWORD }
  const again = await stepUp(service, body.access_token, byPassword)
  t.match(again, { status: 200, body: { account_token: String } })
  t.equal(claimsOf(again.body.access_token).auth_time, service.clock.now() / 1000)
  t.match(claimsOf(again.body.access_token), { amr: ['pwd'], acr: 'aal1' })

  const ada = await enrol(service, 'grace')
  t.match(await stepUp(service, ada.accessToken, byPassword), NEEDS_ACCOUNT_TOKEN)
})

t.test(
  'where the mailbox is the factor, the password alone is not enough for an account token',
  async (t) => {
    const service = await startService(t, { mail: true })
    const ada = await enrolByEmail(service)
    const byPassword = { method: 'password', password: PASSWORD }
    service.clock.advance(301)
    const late = await stepUp(service, ada.accessToken, byPassword)
    t.strictSame([late.status, late.body.account_token], [200, undefined])
    t.match(
      claimsOf(late.body.access_token),
      { amr: ['pwd', 'email', 'mfa'], acr: 'aal1' },
      'the factor stays shown',
    )
    const signedIn = await signInByEmail(service)
    t.equal((await renew(service, signedIn.body.account_token)).status, 200)
  },
)

t.test('a sign-in below the best factor of the account gives none', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolByEmail(service)
  const { accountToken } = ada
  const { body } = await service.post('/2fa/setup', undefined, accountToken)
  const code = totp(body.secret, service.clock.now())
  const { status } = await service.post('/2fa/setup/confirm', { code }, accountToken)
  t.equal(status, 200)
  service.clock.advance(60)
  const weak = await signInByEmail(service)
  t.match(claimsOf(signedInBy(weak).accessToken), { acr: 'aal1' })
  t.equal(weak.body.account_token, undefined)
})

t.test('a token from before a better factor does not change the account afterwards', async (t) => {
  const service = await startService(t, { environment: OPTIONAL })
  await register(service)
  const [first, second] = [
    await service.post('/login', { username: 'ada', password: PASSWORD }),
    await service.post('/login', { username: 'ada', password: PASSWORD }),
  ] as [Answer, Answer]
  const { body } = await service.post('/2fa/setup', undefined, first.body.account_token)
  const confirm = { code: totp(body.secret, service.clock.now()) }
  t.equal((await service.post('/2fa/setup/confirm', confirm, first.body.account_token)).status, 200)
  t.equal(outcomeOf(await renew(service, second.body.account_token)), '401 invalid_token')
})

t.test('it dies with its session', async (t) => {
  const service = await startService(t)
  const { accessToken, accountToken } = await enrol(service)
  await service.post('/logout', undefined, accessToken)
  t.equal(outcomeOf(await renew(service, accountToken)), '401 invalid_token')
})

/** A second factor of the account, a second younger than the first. */
async function addAuthenticator(service: Service, accountToken: string) {
  service.clock.advance(1)
  const { secret } = (await service.post('/2fa/setup', undefined, accountToken)).body
  const code = totp(secret, service.clock.now())
  t.equal((await service.post('/2fa/setup/confirm', { code }, accountToken)).status, 200)
  return { username: 'ada', secret }
}

t.test('a factor of less than a day does not outrank an older one', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolByEmail(service)
  const added = await addAuthenticator(service, ada.accountToken)

  const byNew = await signIn(service, added)
  const refused = await renew(service, byNew.accountToken)
  t.match(refused, { status: 401, body: { needs: 'account_token', reason: 'factor_too_new' } })
  t.match(await service.delete('/me', byNew.accountToken), {
    status: 401,
    body: { reason: 'factor_too_new' },
  })
  const address = await service.put('/me/email', { email: 'new@example.com' }, byNew.accountToken)
  t.match(address, { status: 401, body: { reason: 'factor_too_new' } })
  const changed = await changePassword(service, byNew.accountToken, PASSWORD, ANOTHER)
  t.equal(changed.status, 200, 'the password is its own proof')

  const [code] = ada.recoveryCodes
  const mfaToken = await login(service, 'ada', ANOTHER)
  const byRecovery = await service.post('/2fa/verify', { code, method: 'recovery_code' }, mfaToken)
  t.equal((await renew(service, byRecovery.body.account_token)).status, 200)
})

t.test('after a day it does', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolByEmail(service)
  const added = await addAuthenticator(service, ada.accountToken)
  service.clock.advance(24 * 3600)
  t.equal((await renew(service, (await signIn(service, added)).accountToken)).status, 200)
})

// The attack: one account token replaces the authenticator, and a code of the new one brings the next account token.
t.test('what a change has brought gives no other account token without the password', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const { secret } = (await service.post('/2fa/setup', undefined, ada.accountToken)).body
  const code = totp(secret, service.clock.now())
  const confirmed = await service.post('/2fa/setup/confirm', { code }, ada.accountToken)
  const token = confirmed.body.access_token
  const byCode = await stepUp(service, token, { code: nextCode(service, { secret }) })
  t.strictSame([byCode.status, byCode.body.account_token], [200, undefined])
  const withPassword = { code: nextCode(service, { secret }), password: PASSWORD }
  t.ok((await stepUp(service, token, withPassword)).body.account_token)
})

t.test('nor do recovery codes that a change has brought', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const { body } = await renew(service, ada.accountToken)
  const answer = { code: body.recovery_codes[0], method: 'recovery_code' }
  const steppedUp = await stepUp(service, ada.accessToken, answer)
  t.strictSame([steppedUp.status, steppedUp.body.account_token], [200, undefined])
})
