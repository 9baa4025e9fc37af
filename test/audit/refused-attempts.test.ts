import t from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import { operatorCaller } from '../../src/cli/operator.ts'
import { resetFactors } from '../../src/factors/reset.ts'
import { makeMetrics } from '../../src/monitoring/metrics.ts'
import { codeIn, setEmail } from '../helpers/people/mail.ts'
import { refresh, signIn } from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { samples, startMeasured } from '../helpers/service/metrics.ts'
import {
  enrol,
  login,
  PASSWORD,
  register,
  type Service,
  startService,
  testClock,
  wrongCode,
} from '../helpers/service/service.ts'

/** Every refused attempt is an event that its owner reads and a number for the operator. */

interface Told {
  event: string
  method: string | null
  outcome: string
}

async function eventsOf(service: Service, accessToken: string, ...names: string[]): Promise<Told[]> {
  const { body } = await service.get('/me/events?limit=100', accessToken)
  return body.events
    .filter(({ event }: Told) => names.includes(event))
    .map(({ event, method, outcome }: Told) => ({ event, method, outcome }))
}

t.test('wrong codes for a new address are events, and so is the pause that they bring', async (t) => {
  const clock = testClock()
  const metrics = makeMetrics({ clock, databaseUrl: 'sqlite::memory:' })
  const service = await startService(t, { mail: true, clock, instruments: [...metrics.instruments] })
  const ada = await enrol(service)
  await setEmail(service, ada.accessToken, 'ada@example.com')
  const verify = (code: string) => service.post('/me/email/verify', { code }, ada.accessToken)
  const guessFive = async () => {
    const right = codeIn(service.smtp.mails.at(-1))
    const wrong = right === '000000' ? '000001' : '000000'
    for (let count = 1; count <= 5; count++) t.equal(outcomeOf(await verify(wrong)), '422 invalid_code')
  }

  await guessFive()
  clock.advance(60)
  await setEmail(service, ada.accessToken, 'ada@example.com')
  await guessFive()
  t.equal(outcomeOf(await verify('000000')), '429 too_many_attempts')
  const told = await eventsOf(service, ada.accessToken, 'code_rejected', 'attempts_paused')
  t.strictSame(told, [
    { event: 'attempts_paused', method: 'new_address', outcome: 'failure' },
    ...Array(10).fill({ event: 'code_rejected', method: 'new_address', outcome: 'failure' }),
  ])
  const text = await metrics.text()
  t.equal(samples(text, 'keyturn_lockouts_total')['method="new_address"'], 1)
  t.equal(samples(text, 'keyturn_codes_total')['method="new_address",outcome="failure"'], 10)

  clock.advance(120)
  await setEmail(service, ada.accessToken, 'ada@example.com')
  t.equal((await verify(codeIn(service.smtp.mails.at(-1)))).status, 200)
  t.match(await eventsOf(service, ada.accessToken, 'code_accepted'), [{ method: 'new_address' }])
})

t.test('a wrong confirming code is an event, with an mfa token and in a session', async (t) => {
  const service = await startMeasured(t)
  const { mfaToken } = await register(service, 'ada')
  const { body } = await service.post('/2fa/setup', undefined, mfaToken)
  const right = totp(body.secret, service.clock.now())
  const code = right === '000000' ? '000001' : '000000'
  t.equal(outcomeOf(await service.post('/2fa/verify', { code }, mfaToken)), '422 invalid_code')
  const signedIn = (await service.post('/2fa/verify', { code: right }, mfaToken)).body
  const { access_token: accessToken, account_token: accountToken } = signedIn
  t.strictSame(await eventsOf(service, accessToken, 'code_rejected'), [
    { event: 'code_rejected', method: 'totp', outcome: 'failure' },
  ])

  await service.post('/2fa/setup', undefined, accountToken)
  const confirm = () => service.post('/2fa/setup/confirm', { code }, accountToken)
  t.equal(outcomeOf(await confirm()), '422 invalid_code')
  t.equal((await eventsOf(service, accessToken, 'code_rejected')).length, 2)
  const counted = samples(await service.metrics.text(), 'keyturn_codes_total')
  t.equal(counted['method="totp",outcome="failure"'], 2)
})

t.test('a repeat of a refresh that is answered is an event, once for each token', async (t) => {
  const service = await startMeasured(t)
  const ada = await enrol(service)
  const { body } = await refresh(service, ada.refreshToken)
  t.strictSame(await eventsOf(service, body.access_token, 'token_refresh_repeated'), [])
  for (let count = 1; count <= 3; count++)
    await service.post('/token/refresh', { refresh_token: ada.refreshToken }, undefined, {
      remoteAddress: '127.0.0.66',
    })
  const { body: page } = await service.get('/me/events', body.access_token)
  t.match(
    page.events.filter(({ event }: Told) => event === 'token_refresh_repeated'),
    [{ outcome: 'success', ip: '127.0.0.66', session_id: /./ }],
  )
  await refresh(service, body.refresh_token)
  await refresh(service, body.refresh_token)
  t.equal((await eventsOf(service, body.access_token, 'token_refresh_repeated')).length, 2)
  const events = samples(await service.metrics.text(), 'keyturn_audit_events_total')
  t.equal(events['event="token_refresh_repeated"'], 2)
})

t.test('a password that was changed while it was checked is one that was refused', async (t) => {
  const service = await startMeasured(t)
  const ada = await enrol(service)
  const { deps, clock, db } = service
  const { lock } = deps.accounts
  // As when the new one is stored between the hash and the lock.
  deps.accounts.lock = async (trx, id) => {
    deps.accounts.lock = lock
    const account = await lock(trx, id)
    return account && { ...account, passwordSetAt: clock.now() + 1 }
  }
  const answer = await service.post('/login', { username: 'ada', password: PASSWORD })
  t.equal(outcomeOf(answer), '401 invalid_credentials')
  t.match(await eventsOf(service, ada.accessToken, 'password_refused', 'password_accepted'), [
    { event: 'password_refused', method: 'password' },
  ])
  const counters = await db
    .selectFrom('failure_counters')
    .select('failures')
    .where('factor', '=', 'password')
    .execute()
  t.ok(
    counters.some(({ failures }) => failures === 1),
    'and is counted',
  )
  t.ok(await login(service))
})

t.test('every wrong answer of a factor and a wrong present password are events', async (t) => {
  const service = await startMeasured(t)
  const ada = await enrol(service)
  const { accessToken, accountToken } = await signIn(service, ada)
  await service.post('/2fa/verify', { code: wrongCode(service, ada) }, await login(service))
  await service.post('/2fa/step-up', { code: wrongCode(service, ada) }, accessToken)
  await service.post('/2fa/step-up', { code: 'nothing', method: 'recovery_code' }, accessToken)
  await service.post(
    '/password/change',
    { current_password: 'not this one', new_password: 'staple in a haystack' },
    accountToken,
  )
  t.strictSame(
    (await eventsOf(service, accessToken, 'code_rejected', 'password_refused')).map(
      ({ event, method }) => `${event} ${method}`,
    ),
    ['password_refused password', 'code_rejected recovery_code', 'code_rejected totp', 'code_rejected totp'],
  )
})

t.test(
  'a wrong enrolment code is an event, and so is a wrong recovery code beside the password',
  async (t) => {
    const service = await startMeasured(t)
    const ada = await enrol(service)
    await service.post('/login', { username: 'ada', password: PASSWORD, recovery_code: 'nothing' })
    const account = (await service.deps.accounts.byId(ada.id)) as Account
    await resetFactors(service.deps, account, operatorCaller())
    await service.post('/2fa/setup', { enrolment_code: 'AAAA-AAAA-AAAA-AAAA' }, await login(service))
    const rows = await service.db
      .selectFrom('audit_events')
      .select(['event', 'method', 'outcome', 'account_id'])
      .where('event', 'in', ['code_rejected', 'enrolment_code_rejected'])
      .orderBy('id')
      .execute()
    t.strictSame(
      rows.map((row) => ({ ...row })),
      [
        { event: 'code_rejected', method: 'recovery_code', outcome: 'failure', account_id: ada.id },
        { event: 'enrolment_code_rejected', method: null, outcome: 'failure', account_id: ada.id },
      ],
    )
  },
)
