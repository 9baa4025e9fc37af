import t from 'tap'
import { PASSWORD, startService } from '../helpers/service/service.ts'

/** An app asks for the rules before it shows a form: what it is told is what the routes do. */

t.test('the rules of the default settings', async (t) => {
  const service = await startService(t)
  const { status, headers, body } = await service.get('/config')
  t.equal(status, 200)
  t.equal(headers['cache-control'], 'public, max-age=300')
  t.match(body, {
    name: 'Keyturn',
    version: /^\d+\.\d+\.\d+/,
    registration: 'open',
    mfa_policy: 'required',
    username: { min_length: 3, max_length: 64, at_sign: true },
    methods: ['passkey', 'totp', 'recovery_code'],
    mail: { codes: false, reset: false },
    token_lifetimes: { mfa_token: 300, access_token: 600, account_token: 300, refresh_token: 2_592_000 },
  })
})

t.test('the lengths are those that registration takes', async (t) => {
  for (const MFA_POLICY of ['required', 'optional']) {
    const service = await startService(t, { environment: { MFA_POLICY, USERNAMES: 'plain' } })
    const { password, username } = (await service.get('/config')).body
    const register = async (name: string, secret: string) =>
      (await service.post('/register', { username: name, password: secret })).status === 201
    const secret = (length: number) =>
      'correct horse battery staple '
        .repeat(9)
        .slice(0, length - 1)
        .concat('!')
    t.ok(await register('shortest', secret(password.min_length)))
    t.notOk(await register('shorter', secret(password.min_length - 1)))
    t.ok(await register('longest', secret(password.max_length)))
    t.notOk(await register('longer', secret(password.max_length + 1)))
    t.ok(await register('n'.repeat(username.min_length), PASSWORD))
    t.notOk(await register('m'.repeat(username.min_length - 1), PASSWORD))
    t.ok(await register('n'.repeat(username.max_length), PASSWORD))
    t.notOk(await register('m'.repeat(username.max_length + 1), PASSWORD))
    t.equal(username.at_sign, await register('ada@example.com', PASSWORD))
  }
})

t.test('mail is named where there is a mail server, and codes by mail where they are on', async (t) => {
  const mailing = await startService(t, { mail: true, environment: { EMAIL_CODES: 'off' } })
  t.match((await mailing.get('/config')).body, { mail: { codes: false, reset: true } })
  const coding = await startService(t, { mail: true, environment: { EMAIL_CODES: 'on' } })
  const { mail, methods } = (await coding.get('/config')).body
  t.strictSame(mail, { codes: true, reset: true })
  t.ok(methods.includes('email'))
})

t.test('passkeys are named where pages can make some', async (t) => {
  const service = await startService(t, { environment: { ISSUER: 'http://192.0.2.5:3000' } })
  t.strictSame((await service.get('/config')).body.methods, ['totp', 'recovery_code'])
  t.equal((await service.post('/login/passkey/options')).status, 404)
})

t.test('without a mail server a forgotten password is refused with the reason', async (t) => {
  const service = await startService(t)
  const { status, body } = await service.post('/password/forgot', { username: 'nobody' })
  t.equal(status, 409)
  t.match(body, { code: 'email_unavailable', detail: /sends no mail/ })
})
