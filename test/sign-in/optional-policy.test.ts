import { decodeJwt } from 'jose'
import t from 'tap'
import { totp } from '../helpers/people/totp.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { enrol, PASSWORD, register, startService } from '../helpers/service/service.ts'

/** MFA_POLICY=optional leaves the choice to the account; once it has chosen a factor, nothing goes around it. */

const environment = { MFA_POLICY: 'optional' }

t.test(
  'an account without a factor signs in with its password, and the token says no more than that',
  async (t) => {
    const service = await startService(t, { environment })
    await register(service)
    const { status, body } = await service.post('/login', { username: 'ada', password: PASSWORD })
    t.equal(status, 200)
    t.strictSame(Object.keys(body).sort(), [
      'access_token',
      'account_expires_in',
      'account_token',
      'expires_in',
      'mfa_required',
      'refresh_expires_in',
      'refresh_token',
      'token_type',
    ])
    t.match(body, { mfa_required: false, token_type: 'Bearer', expires_in: 600 })
    t.match(decodeJwt(body.access_token), { acr: 'aal1', amr: ['pwd'] })
    t.match((await service.get('/me', body.access_token)).body, {
      username: 'ada',
      two_factor_enabled: false,
    })
  },
)

t.test('a registration is answered as a login is', async (t) => {
  const service = await startService(t, { environment })
  const { status, body } = await service.post('/register', { username: 'ada', password: PASSWORD })
  t.equal(status, 201)
  const { user, ...rest } = body
  t.equal(user.username, 'ada')
  const login = await service.post('/login', { username: 'ada', password: PASSWORD })
  t.strictSame(Object.keys(rest).sort(), Object.keys(login.body).sort())
  t.equal((await service.get('/me', body.access_token)).status, 200)
})

t.test('a wrong password stays wrong, and counts', async (t) => {
  const service = await startService(t, { environment })
  await register(service)
  for (let i = 0; i < 10; i++)
    isProblem(t, await service.post('/login', { username: 'ada', password: 'wrong' }), 'invalid_credentials')
  isProblem(t, await service.post('/login', { username: 'ada', password: PASSWORD }), 'too_many_attempts')
})

t.test('an account with a factor is asked for it', async (t) => {
  const service = await startService(t, { environment })
  await enrol(service)
  const { body } = await service.post('/login', { username: 'ada', password: PASSWORD })
  t.match(body, { mfa_required: true, enrolled: true, methods: ['totp', 'recovery_code'] })
  t.notOk('access_token' in body)
})

t.test('a token of the password alone can set up the first factor, but replaces none', async (t) => {
  const service = await startService(t, { environment })
  await register(service)
  const { account_token: token } = (await service.post('/login', { username: 'ada', password: PASSWORD }))
    .body
  t.equal((await service.post('/2fa/setup', undefined, token)).status, 200)

  const enrolled = await startService(t, { environment, databaseUrl: service.databaseUrl })
  await register(enrolled, 'grace')
  const logIn = async () =>
    (await enrolled.post('/login', { username: 'grace', password: PASSWORD })).body.account_token
  const [passwordOnly, other] = [await logIn(), await logIn()]
  const { secret } = (await enrolled.post('/2fa/setup', undefined, other)).body
  const code = totp(secret, enrolled.clock.now())
  t.equal((await enrolled.post('/2fa/setup/confirm', { code }, other)).status, 200)
  const answer = await enrolled.post('/2fa/setup', undefined, passwordOnly)
  isProblem(t, answer, 'invalid_token', 'its session has ended with the first factor')
})

t.test('under MFA_POLICY=required nothing but the way to a factor opens', async (t) => {
  const service = await startService(t)
  await register(service)
  const { body } = await service.post('/login', { username: 'ada', password: PASSWORD })
  t.match(body, { mfa_required: true, enrolled: false, methods: ['passkey', 'totp'] })
  t.notOk('access_token' in body)
})
