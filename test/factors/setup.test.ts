import t from 'tap'
import { setUpReplacement } from '../helpers/people/factors.ts'
import { totp } from '../helpers/people/totp.ts'
import { burst, tally } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import {
  type Answer,
  enrol,
  login,
  logins,
  nextCode,
  register,
  type Service,
  startService,
  wrongCode,
} from '../helpers/service/service.ts'

const codeOf = (service: Service, { body }: Pick<Answer, 'body'>) => totp(body.secret, service.clock.now())

t.test('a setup is the same until a wrong code was tried, and then another one', async (t) => {
  const service = await startService(t)
  const { mfaToken } = await register(service)
  const first = await service.post('/2fa/setup', undefined, mfaToken)
  t.equal(first.body.expires_in, 600)
  service.clock.advance(60)
  const same = await service.post('/2fa/setup', undefined, mfaToken)
  t.match(same.body, { secret: first.body.secret, expires_in: 540 })
  isProblem(
    t,
    await service.post('/2fa/verify', { code: wrongCode(service, first.body) }, mfaToken),
    'invalid_code',
  )
  const second = await service.post('/2fa/setup', undefined, mfaToken)
  t.not(first.body.secret, second.body.secret)
  t.equal(second.body.expires_in, 600)
  isProblem(t, await service.post('/2fa/verify', { code: codeOf(service, first) }, mfaToken), 'invalid_code')
  t.equal((await service.post('/2fa/verify', { code: codeOf(service, second) }, mfaToken)).status, 200)
})

t.test('each sign-in sets up its own, and the right code of one drops the others', async (t) => {
  const service = await startService(t)
  const { mfaToken } = await register(service)
  const other = await login(service)
  const own = await service.post('/2fa/setup', undefined, mfaToken)
  const others = await service.post('/2fa/setup', undefined, other)
  t.not(own.body.secret, others.body.secret)
  const crossed = await service.post('/2fa/verify', { code: codeOf(service, own) }, other)
  isProblem(t, crossed, 'invalid_code', 'what another sign-in has set up')
  t.equal((await service.post('/2fa/verify', { code: codeOf(service, own) }, mfaToken)).status, 200)
  const late = await service.post('/2fa/verify', { code: codeOf(service, others) }, other)
  isProblem(t, late, 'invalid_code')
  t.strictSame(await pending(service), [])
})

t.test('five are pending at most: the oldest gives way', async (t) => {
  const service = await startService(t)
  await register(service)
  const tokens = await logins(service, 6)
  const set: Answer[] = []
  for (const token of tokens) set.push(await service.post('/2fa/setup', undefined, token))
  t.equal((await pending(service)).length, 5)
  const code = codeOf(service, set[0] as Answer)
  isProblem(t, await service.post('/2fa/verify', { code }, tokens[0]), 'not_enrolled')
  const last = { code: codeOf(service, set[5] as Answer) }
  t.equal((await service.post('/2fa/verify', last, tokens[5])).status, 200)
})

t.test('many setups at once of one sign-in are one, and its code confirms', async (t) => {
  const service = await startService(t)
  const { mfaToken } = await register(service)
  const answers = await burst(10, () => service.post('/2fa/setup', undefined, mfaToken))
  t.strictSame(tally(answers), { 200: 10 })
  t.equal(new Set(answers.map(({ body }) => body.secret)).size, 1)
  t.equal((await pending(service)).length, 1)
  const code = codeOf(service, answers[0] as Answer)
  t.equal((await service.post('/2fa/verify', { code }, mfaToken)).status, 200)
})

const pending = ({ db }: Service) =>
  db.selectFrom('totp_factors').select('id').where('state', '=', 'pending').execute()

t.test('a pending secret that was not confirmed in ten minutes is void', async (t) => {
  const service = await startService(t, { environment: { MFA_TOKEN_TTL: '900' } })
  const { mfaToken } = await register(service)
  const { body } = await service.post('/2fa/setup', undefined, mfaToken)
  service.clock.advance(599)
  isProblem(
    t,
    await service.post('/2fa/verify', { code: '000000' }, mfaToken),
    'invalid_code',
    'just in time',
  )
  service.clock.advance(1)
  const code = totp(body.secret, service.clock.now())
  isProblem(t, await service.post('/2fa/verify', { code }, mfaToken), 'not_enrolled')
  const again = (await service.post('/2fa/setup', undefined, mfaToken)).body
  t.not(again.secret, body.secret)
  const newCode = totp(again.secret, service.clock.now())
  t.equal((await service.post('/2fa/verify', { code: newCode }, mfaToken)).status, 200)
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
    await setUpReplacement(service, ada.accessToken)
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
  for (const code of ['123456', '000000'])
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
