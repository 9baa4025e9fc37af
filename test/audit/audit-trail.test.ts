// The promise: an owner and an operator can see afterwards who did what, when, from where, and whether it succeeded.
import t from 'tap'
import { refresh, signIn } from '../helpers/people/sessions.ts'
import { enrol, login, register, type Service, startService, wrongCode } from '../helpers/service/service.ts'

const FROM = { remoteAddress: '192.0.2.7', headers: { 'user-agent': 'a browser' } }

const logged = ({ logLines }: Service, message: string) =>
  logLines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === message)

t.test(
  'every event of signing in is told to its owner and to the log, with who, what, when and from where',
  async (t) => {
    const service = await startService(t)
    const ada = await enrol(service)
    await service.post('/login', { username: 'ada', password: 'not this one' }, undefined, FROM)
    const mfaToken = await login(service)
    await service.post('/2fa/verify', { code: wrongCode(service, ada) }, mfaToken, FROM)
    const { accessToken, refreshToken } = await signIn(service, ada)
    await refresh(service, refreshToken)

    const { events } = (await service.get('/me/events', accessToken)).body
    const told = events.map(({ event, method }: { event: string; method: string }) =>
      [event, method].join(' '),
    )
    for (const event of [
      'account_registered ',
      'factor_enrolled totp',
      'session_started ',
      'password_refused password',
      'password_accepted password',
      'code_rejected totp',
      'code_accepted totp',
      'token_refreshed ',
    ])
      t.ok(
        told.some((one: string) => one.startsWith(event)),
        `${event} is told`,
      )

    t.match(
      events.find(({ event }: { event: string }) => event === 'password_refused'),
      {
        at: /Z$/,
        outcome: 'failure',
        ip: '192.0.2.7',
        user_agent: 'a browser',
        request_id: /^[0-9a-f-]{36}$/,
      },
    )
    const lines = logged(service, 'audit')
    t.equal(lines.length, events.length, 'the log has as many')
    for (const line of lines)
      t.match(line, {
        time: /Z$/,
        event: /\w/,
        outcome: /\w/,
        account_id: ada.id,
        ip: /\w/,
        request_id: /\w/,
      })
  },
)

t.test('a wrong password for a name that nobody has is recorded for the operator alone', async (t) => {
  const service = await startService(t)
  await service.post('/login', { username: 'nobody', password: 'not this one' }, undefined, FROM)
  const [line] = logged(service, 'audit')
  t.match(line, { event: 'password_refused', outcome: 'failure', account_id: null, ip: '192.0.2.7' })
})

t.test('a wrong code at the enrolment is recorded', async (t) => {
  const service = await startService(t)
  const { id, mfaToken } = await register(service)
  const { secret } = (await service.post('/2fa/setup', undefined, mfaToken)).body
  await service.post('/2fa/verify', { code: wrongCode(service, { secret }) }, mfaToken, FROM)
  const rejected = logged(service, 'audit').filter(({ event }) => event === 'code_rejected')
  t.match(rejected, [{ outcome: 'failure', method: 'totp', account_id: id, ip: '192.0.2.7' }])
  t.equal(rejected.length, 1)
})

t.test('a request that is refused leaves a line with the code of its problem', async (t) => {
  const service = await startService(t)
  await service.get('/me', undefined, FROM)
  await service.get('/me', 'a.b.c', FROM)
  await service.post('/login', { username: 'ada', admin: true }, undefined, FROM)
  await service.get('/no/such/path', undefined, FROM)
  t.strictSame(
    logged(service, 'request').map(({ problem, status, ip }) => [problem, status, ip]),
    [
      ['invalid_token', 401, '192.0.2.7'],
      ['invalid_token', 401, '192.0.2.7'],
      ['validation_failed', 400, '192.0.2.7'],
      ['not_found', 404, '192.0.2.7'],
    ],
  )
})
