import t from 'tap'
import { enrol, login, nextCode, PASSWORD, startService } from './helpers/service/service.ts'

t.test('a newcomer registers, sets up an authenticator, verifies a code and is signed in', async (t) => {
  const service = await startService(t)

  const registered = await service.post('/register', {
    username: 'Ada',
    password: PASSWORD,
    email: 'ada@example.com',
  })
  t.equal(registered.status, 201)
  t.match(registered.body, {
    user: {
      username: 'Ada',
      email: 'ada@example.com',
      email_verified: false,
      two_factor_enabled: false,
      created_at: '2026-11-21T09:30:00.000Z',
    },
    mfa_required: true,
    token_type: 'Bearer',
    expires_in: 300,
    enrolled: false,
    methods: ['passkey', 'totp'],
  })

  const ada = await enrol(service, 'grace')
  t.equal(ada.recoveryCodes.length, 10)
  const me = await service.get('/me', ada.accessToken)
  t.match(me.body, { username: 'grace', email: null, two_factor_enabled: true })
})

t.test('an enrolled account signs in with its password and the next code', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)

  const { status, body } = await service.post('/login', { username: 'ADA', password: PASSWORD })
  t.equal(status, 200)
  t.match(body, { mfa_required: true, enrolled: true, methods: ['totp', 'recovery_code'] })

  const verified = await service.post('/2fa/verify', { code: nextCode(service, ada) }, await login(service))
  t.equal(verified.status, 200)
  t.match(verified.body, { token_type: 'Bearer', expires_in: 600, refresh_expires_in: 2_592_000 })
  t.notOk('recovery_codes' in verified.body, 'recovery codes are shown once')
})
