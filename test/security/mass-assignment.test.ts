// The attack: a body says more than it was asked, in the hope that somebody stores all of it.
import t from 'tap'
import {
  enrol,
  login,
  nextCode,
  PASSWORD,
  register,
  type Service,
  startService,
} from '../helpers/service/service.ts'

const EXTRAS: Record<string, unknown> = {
  id: '0197c2a4-5f0e-7c3a-9d8e-2b1f6a7c8d9e',
  username_key: 'ada',
  password_hash: '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  password_set_at: 0,
  email_verified: true,
  email_verified_at: 1,
  role: 'admin',
  roles: ['admin'],
  is_admin: true,
  totp_secret: 'JBSWY3DPEHPK3PXP',
  two_factor_enabled: true,
  enrolled: true,
  mfa_required: false,
  amr: ['pwd', 'otp'],
  acr: 'aal2',
  sub: 'ada',
  created_at: '1970-01-01T00:00:00Z',
  disabled_at: null,
  Username: 'grace',
  PASSWORD: 'another password',
  'username ': 'grace',
  'user.username': 'grace',
  'user[username]': 'grace',
}

const TABLES = [
  'accounts',
  'challenges',
  'totp_factors',
  'recovery_codes',
  'sessions',
  'refresh_tokens',
] as const

async function everything(service: Service): Promise<unknown> {
  return Promise.all(TABLES.map((table) => service.db.selectFrom(table).selectAll().execute()))
}

t.test('a member that was not asked for is refused by name, and nothing is stored', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const mfaToken = await login(service)
  const bodies: [string, Record<string, unknown>, string?][] = [
    ['/register', { username: 'grace', password: PASSWORD }],
    ['/login', { username: 'ada', password: PASSWORD }],
    ['/2fa/verify', { code: nextCode(service, ada) }, mfaToken],
  ]
  const before = await everything(service)
  for (const [route, body, token] of bodies)
    for (const [name, value] of Object.entries(EXTRAS)) {
      const answer = await service.post(route, { ...body, [name]: value }, token)
      t.equal(answer.status, 400, `${route} ${name}`)
      t.equal(answer.body.code, 'validation_failed')
      t.match(answer.body.errors, [{ pointer: `/${name}`, code: 'unknown_member' }])
      t.equal(answer.body.errors.length, 1)
    }
  t.strictSame(await everything(service), before)

  for (const [route, body, token] of bodies)
    t.match(await service.post(route, body, token), { status: /^20[01]$/ }, `${route} takes it without them`)
})

t.test('a route that takes no body takes no members', async (t) => {
  const service = await startService(t)
  const { mfaToken } = await register(service)
  for (const body of [{ secret: 'JBSWY3DPEHPK3PXP' }, { account_id: 'x' }, [1], 'text', 1, true]) {
    const payload = JSON.stringify(body)
    const headers = { 'content-type': 'application/json' }
    const answer = await service.post('/2fa/setup', undefined, mfaToken, { payload, headers })
    t.equal(answer.status, 400, payload)
  }
  t.strictSame(await service.db.selectFrom('totp_factors').selectAll().execute(), [])
})

t.test('an object or a list in the place of a text is refused', async (t) => {
  const service = await startService(t)
  await register(service)
  for (const value of [{ $ne: '' }, { $gt: '' }, ['ada'], [], {}, 1, true, null]) {
    for (const body of [
      { username: value, password: PASSWORD },
      { username: 'ada', password: value },
    ])
      for (const route of ['/login', '/register']) {
        const answer = await service.post(route, body)
        t.equal(answer.status, 400, `${route} ${JSON.stringify(body)}`)
        t.equal(answer.body.code, 'validation_failed')
      }
  }
})
