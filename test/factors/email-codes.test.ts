import t from 'tap'
import { newNumericCode } from '../../src/crypto/codes.ts'
import { rfc3339 } from '../../src/platform/clock.ts'
import { cleanUp } from '../../src/upkeep/clean-up.ts'
import { maskAddress } from '../../src/values/email-address.ts'
import { factorsOf } from '../helpers/people/factors.ts'
import {
  answerByEmail,
  codeIn,
  deliver,
  enrolByEmail,
  enrolWithCodes,
  mailedCode,
  notices,
  registerWithEmail,
  signInByEmail,
} from '../helpers/people/mail.ts'
import { accountTokenFor, claimsOf, refresh } from '../helpers/people/sessions.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { enrol, login, nextCode, PASSWORD, register, startService } from '../helpers/service/service.ts'

t.test('a mailed code signs in, and the token says no more than that', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolByEmail(service)
  const { body: offer } = await service.post('/login', { username: 'ada', password: PASSWORD })
  t.match(offer, { mfa_required: true, enrolled: true, methods: ['email', 'recovery_code'] })

  const sent = await service.post('/2fa/email', undefined, offer.mfa_token)
  t.equal(sent.status, 202)
  t.strictSame(sent.body, { sent_to: 'a***@e***.com', expires_in: 600, resend_after: 60 })
  const mail = service.smtp.mails.at(-1)
  t.strictSame(mail?.to, ['ada@example.com'])

  const verified = await answerByEmail(service, codeIn(mail), offer.mfa_token)
  t.equal(verified.status, 200)
  t.notOk(verified.body.recovery_codes)
  t.match(claimsOf(verified.body.access_token), { acr: 'aal1', amr: ['pwd', 'email', 'mfa'] })
})

t.test(
  'a first mailed code enrols the mailbox, proves the address and hands out recovery codes',
  async (t) => {
    const service = await startService(t, { mail: true })
    const { body } = await service.post('/register', {
      username: 'ada',
      password: PASSWORD,
      email: 'ada@example.com',
    })
    t.match(body, { enrolled: false, methods: ['passkey', 'totp', 'email'], user: { email_verified: false } })
    const code = await mailedCode(service, body.mfa_token)
    const verified = await answerByEmail(service, code, body.mfa_token)
    t.equal(verified.status, 200)
    t.equal(verified.body.recovery_codes.length, 10)
    const { body: user } = await service.get('/me', verified.body.access_token)
    t.match(user, { email_verified: true, two_factor_enabled: true })
    const { body: factors } = await service.get('/2fa', verified.body.access_token)
    t.match(factors, { factors: [{ kind: 'email' }], recovery_codes: { remaining: 10 } })
    t.equal(factors.factors.length, 1)
    t.strictSame(notices(await deliver(service)), ['a second factor was set up → ada@example.com'])
    t.notOk((await signInByEmail(service)).body.recovery_codes, 'they are shown once')
  },
)

t.test(
  'for an account with an authenticator, a code by mail is another way in once it is switched on',
  async (t) => {
    const service = await startService(t, { mail: true })
    const ada = await enrolWithCodes(service, 'grace')
    const { body: offer } = await service.post('/login', { username: 'grace', password: PASSWORD })
    t.match(offer, { enrolled: true, methods: ['totp', 'email', 'recovery_code'] })
    const byMail = await signInByEmail(service, 'grace')
    t.match(claimsOf(byMail.body.access_token), { acr: 'aal1', amr: ['pwd', 'email', 'mfa'] })
    t.notOk(byMail.body.recovery_codes, 'the authenticator came with them')
    const byTotp = await service.post('/2fa/verify', { code: nextCode(service, ada) }, offer.mfa_token)
    t.match(claimsOf(byTotp.body.access_token), { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] })

    const refused = await service.post(
      '/2fa/recovery-codes',
      undefined,
      await accountTokenFor(service, byMail.body.access_token),
    )
    t.equal(outcomeOf(refused), '401 insufficient_user_authentication', 'no change of factors at aal1')
    t.match(refused.headers['www-authenticate'], /acr_values="aal2", max_age=300/)
  },
)

t.test('a code lives for ten minutes from when it was made, however late the mail came', async (t) => {
  const service = await startService(t, { mail: true, environment: { MFA_TOKEN_TTL: '1200' } })
  await enrolByEmail(service)
  for (const [age, expected] of [
    [599, '200'],
    [600, '422 invalid_code'],
  ] as const) {
    const mfaToken = await login(service)
    const code = await mailedCode(service, mfaToken)
    service.clock.advance(age)
    t.equal(outcomeOf(await answerByEmail(service, code, mfaToken)), expected, `after ${age} s`)
  }
})

t.test('its owner sees when the last code was used, also after the clean-up', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolByEmail(service)
  const lastUsed = async (accessToken: string) => (await factorsOf(service, accessToken))[0]?.last_used_at
  t.equal(await lastUsed(ada.accessToken), rfc3339(service.clock.now()))
  service.clock.advance(3600)
  const { body } = await signInByEmail(service)
  const used = rfc3339(service.clock.now())
  service.clock.advance(590)
  await cleanUp(service.deps)
  service.clock.advance(20)
  await cleanUp(service.deps)
  const { access_token } = (await refresh(service, body.refresh_token)).body
  t.equal(await lastUsed(access_token), used)
})

t.test('the next code waits for a minute, and Retry-After is true', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolByEmail(service)
  const mfaToken = await login(service)
  await mailedCode(service, mfaToken)
  service.clock.advance(13)
  const tooSoon = await service.post('/2fa/email', undefined, mfaToken)
  isProblem(t, tooSoon, 'rate_limited')
  t.equal(tooSoon.headers['retry-after'], '47')
  service.clock.advance(46)
  t.equal((await service.post('/2fa/email', undefined, mfaToken)).headers['retry-after'], '1')
  service.clock.advance(1)
  t.equal((await service.post('/2fa/email', undefined, mfaToken)).status, 202)
})

t.test('a new code voids the one before it', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolByEmail(service)
  const mfaToken = await login(service)
  const old = await mailedCode(service, mfaToken)
  service.clock.advance(60)
  const current = await mailedCode(service, mfaToken)
  t.equal(outcomeOf(await answerByEmail(service, old, mfaToken)), '422 invalid_code')
  t.equal((await answerByEmail(service, current, mfaToken)).status, 200)
})

t.test('a code is read without regard to blanks and dashes', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolByEmail(service)
  const mfaToken = await login(service)
  const code = await mailedCode(service, mfaToken)
  const typed = ` ${code.slice(0, 3)}-${code.slice(3)} `
  t.equal((await answerByEmail(service, typed, mfaToken)).status, 200)
})

t.test('leading zeros belong to a code', async (t) => {
  const codes = Array.from({ length: 5_000 }, newNumericCode)
  t.ok(codes.every((code) => /^\d{6}$/.test(code)))
  t.ok(codes.filter((code) => code.startsWith('0')).length > 300, 'a tenth of all codes begin with a zero')

  const service = await startService(t, { mail: true })
  await enrolByEmail(service)
  for (;;) {
    service.clock.advance(3600)
    const mfaToken = await login(service)
    const code = await mailedCode(service, mfaToken)
    if (!code.startsWith('0')) continue
    const stripped = await answerByEmail(service, code.replace(/^0+/, ''), mfaToken)
    t.equal(outcomeOf(stripped), '400 validation_failed', `${code} without its zeros`)
    t.equal((await answerByEmail(service, code, mfaToken)).status, 200, code)
    break
  }
})

t.test(
  'where codes by mail are off, or there is no address, nothing is sent and the answer says so',
  async (t) => {
    const off = await startService(t, { mail: true, environment: { EMAIL_CODES: 'off' } })
    const ada = await registerWithEmail(off)
    isProblem(t, await off.post('/2fa/email', undefined, ada.mfaToken), 'email_unavailable')
    isProblem(t, await answerByEmail(off, '000000', ada.mfaToken), 'email_unavailable')

    const on = await startService(t, { mail: true })
    const { mfaToken } = await register(on, 'grace')
    isProblem(t, await on.post('/2fa/email', undefined, mfaToken), 'email_unavailable')
    isProblem(t, await answerByEmail(on, '000000', mfaToken), 'email_unavailable')

    const mute = await startService(t)
    const edsger = await registerWithEmail(mute, 'edsger')
    isProblem(t, await mute.post('/2fa/email', undefined, edsger.mfaToken), 'email_unavailable')
    t.strictSame([...off.smtp.mails, ...on.smtp.mails], [])
  },
)

t.test('a code by mail answers a challenge, nothing else', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrol(service)
  const answer = await service.post('/2fa/step-up', { code: '000000', method: 'email' }, ada.accessToken)
  isProblem(t, answer, 'email_unavailable')
})

t.test('an address is masked beyond recognition for who does not own it', async (t) => {
  t.equal(maskAddress('ada.lovelace@mail.example.co.uk'), 'a***@m***.uk')
  t.equal(maskAddress('a@b.org'), 'a***@b***.org')
})

t.test('a server that refuses an address for good is asked about it five times an hour', async (t) => {
  const service = await startService(t, { mail: true })
  await registerWithEmail(service)
  const mfaToken = await login(service)
  service.smtp.behave({ refuse: ['rcpt', 550] })
  const ask = async () => outcomeOf(await service.post('/2fa/email', undefined, mfaToken))
  for (let asked = 0; asked < 5; asked += 1) t.equal(await ask(), '503 email_delivery_failed')
  t.equal(await ask(), '429 rate_limited', 'servers shut out who keeps asking')
})
