import { decodeJwt } from 'jose'
import t from 'tap'
import { isProblem } from '../helpers/problems.ts'
import { enrol, PASSWORD, register, startService } from '../helpers/service.ts'
import { totp } from '../helpers/totp.ts'

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
  const { access_token: token } = (await service.post('/login', { username: 'ada', password: PASSWORD })).body
  t.equal((await service.post('/2fa/setup', undefined, token)).status, 200)

  const enrolled = await startService(t, { environment, databaseUrl: service.databaseUrl })
  const { mfaToken } = await register(enrolled, 'grace')
  const passwordOnly = (await enrolled.post('/login', { username: 'grace', password: PASSWORD })).body
    .access_token
  const { secret } = (await enrolled.post('/2fa/setup', undefined, mfaToken)).body
  const code = totp(secret, enrolled.clock.now())
  t.equal((await enrolled.post('/2fa/verify', { code }, mfaToken)).status, 200)
  const answer = await enrolled.post('/2fa/setup', undefined, passwordOnly)
  isProblem(t, answer, 'invalid_token', 'its session has ended with the first factor')
})

t.test('under MFA_POLICY=required nothing but the way to a factor opens', async (t) => {
  const service = await startService(t)
  await register(service)
  const { body } = await service.post('/login', { username: 'ada', password: PASSWORD })
  t.match(body, { mfa_required: true, enrolled: false, methods: ['totp'] })
  t.notOk('access_token' in body)
})
