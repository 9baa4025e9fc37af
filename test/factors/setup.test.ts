import t from 'tap'
import { accountTokenFor } from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { enrol, login, nextCode, register, startService } from '../helpers/service/service.ts'

t.test('each setup makes a new secret and voids the one before it', async (t) => {
  const service = await startService(t)
  const { mfaToken } = await register(service)
  const first = (await service.post('/2fa/setup', undefined, mfaToken)).body
  const second = (await service.post('/2fa/setup', undefined, mfaToken)).body
  t.not(first.secret, second.secret)
  t.equal(second.expires_in, 600)
  const codeOf = ({ secret }: { secret: string }) => totp(secret, service.clock.now())
  isProblem(t, await service.post('/2fa/verify', { code: codeOf(first) }, mfaToken), 'invalid_code')
  t.equal((await service.post('/2fa/verify', { code: codeOf(second) }, mfaToken)).status, 200)
})

t.test('of many setups at once one stays, and only its code confirms', async (t) => {
  const service = await startService(t)
  const { mfaToken } = await register(service)
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => service.post('/2fa/setup', undefined, mfaToken)),
  )
  for (const { status } of answers) t.equal(status, 200)
  t.equal((await service.db.selectFrom('totp_factors').select('id').execute()).length, 1)

  const confirmed: number[] = []
  for (const { body } of answers) {
    // A challenge bears five wrong codes: each secret is tried with a challenge of its own.
    const code = totp(body.secret, service.clock.now())
    confirmed.push((await service.post('/2fa/verify', { code }, await login(service))).status)
    if (confirmed.at(-1) === 200) break
    service.clock.advance(900)
    await service.db
      .updateTable('totp_factors')
      .set({ expires_at: service.clock.now() + 600_000 })
      .execute()
  }
  t.equal(confirmed.filter((status) => status === 200).length, 1, confirmed.join(' '))
})

t.test('a pending secret that nobody confirmed in ten minutes is void', async (t) => {
  const service = await startService(t)
  const { mfaToken } = await register(service)
  const { body } = await service.post('/2fa/setup', undefined, mfaToken)
  service.clock.advance(599)
  const mfaTokenLate = await login(service)
  isProblem(
    t,
    await service.post('/2fa/verify', { code: '000000' }, mfaTokenLate),
    'invalid_code',
    'just in time',
  )
  service.clock.advance(1)
  const code = totp(body.secret, service.clock.now())
  isProblem(t, await service.post('/2fa/verify', { code }, mfaTokenLate), 'not_enrolled')
  const again = (await service.post('/2fa/setup', undefined, mfaTokenLate)).body
  const newCode = totp(again.secret, service.clock.now())
  t.equal((await service.post('/2fa/verify', { code: newCode }, mfaTokenLate)).status, 200)
})

t.test('a password alone cannot replace the factor of an enrolled account', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const mfaToken = await login(service)
  isProblem(t, await service.post('/2fa/setup', undefined, mfaToken), 'already_enrolled')
  t.equal((await service.post('/2fa/verify', { code: nextCode(service, ada) }, mfaToken)).status, 200)
})

t.test(
  'an account token can set up a replacement, and the old factor stays in force until then',
  async (t) => {
    const service = await startService(t)
    const ada = await enrol(service)
    t.equal(
      (await service.post('/2fa/setup', undefined, await accountTokenFor(service, ada.accessToken))).status,
      200,
    )
    const code = nextCode(service, ada)
    t.equal(
      (await service.post('/2fa/verify', { code }, await login(service))).status,
      200,
      'the old authenticator',
    )
  },
)

t.test('an access token sets nothing up, and says what would (RFC 9470)', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const answer = await service.post('/2fa/setup', undefined, ada.accessToken)
  isProblem(t, answer, 'insufficient_user_authentication')
  t.equal(answer.body.needs, 'account_token')
  t.equal(
    answer.headers['www-authenticate'],
    'Bearer error="insufficient_user_authentication", acr_values="aal2", max_age=300',
  )
})

t.test('there is nothing to confirm before a setup', async (t) => {
  const service = await startService(t)
  const { mfaToken } = await register(service)
  isProblem(t, await service.post('/2fa/verify', { code: '123456' }, mfaToken), 'not_enrolled')
  t.equal((await service.post('/2fa/setup', undefined, mfaToken)).status, 200, 'and asking costs no try')
})

t.test('asking too early does not use up the challenge', async (t) => {
  const service = await startService(t)
  const { mfaToken } = await register(service)
  for (let i = 0; i < 7; i++)
    isProblem(t, await service.post('/2fa/verify', { code: '123456' }, mfaToken), 'not_enrolled')
})

t.test('without EMAIL_CODES no code comes by email', async (t) => {
  const service = await startService(t)
  await enrol(service)
  const mfaToken = await login(service)
  for (const code of ['123456', 'x'])
    isProblem(t, await service.post('/2fa/verify', { code, method: 'email' }, mfaToken), 'email_unavailable')
})

t.test('the secret is shown once and stored sealed', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const [row] = await service.db.selectFrom('totp_factors').selectAll().execute()
  t.match(row?.sealed_secret, /^[0-9a-f]{8}\.[A-Za-z0-9_-]+$/)
  t.notMatch(JSON.stringify(row), ada.secret)
  t.notMatch((await service.get('/me', ada.accessToken)).text, ada.secret)
})
