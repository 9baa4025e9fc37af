import t from 'tap'
import { NAMELESS_ROWS_AN_HOUR } from '../../src/audit/trail.ts'
import { cleanUp } from '../../src/upkeep/clean-up.ts'
import { accountTokenFor } from '../helpers/people/sessions.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { samples, startMeasured } from '../helpers/service/metrics.ts'
import { enrol, login, register, type Service, startService, wrongCode } from '../helpers/service/service.ts'

/** Strangers can make work, and must not be able to fill the disk with it. */

const HOUR = 3600

const rowsOf = async ({ db }: Service, event: 'password_refused' | 'attempts_paused' | 'factor_pending') =>
  (await db.selectFrom('audit_events').select('account_id').where('event', '=', event).execute()).length

const wrongPassword = (service: Service, username: string, remoteAddress = '192.0.2.1') =>
  service.post('/login', { username, password: 'not this one' }, undefined, { remoteAddress })

t.test('wrong passwords of made-up names leave a hundred rows an hour, and are all counted', async (t) => {
  const service = await startMeasured(t)
  await enrol(service)
  const tries = NAMELESS_ROWS_AN_HOUR + 20
  for (let count = 0; count < tries; count++)
    t.equal(outcomeOf(await wrongPassword(service, `nobody-${count}`)), '401 invalid_credentials')
  t.equal(await rowsOf(service, 'password_refused'), 100)
  const counted = samples(await service.metrics.text(), 'keyturn_passwords_total')
  t.equal(counted['outcome="failure"'], tries)
  t.equal(service.logLines.filter((line) => line.includes('"password_refused"')).length, tries)

  await wrongPassword(service, 'ada')
  t.equal(await rowsOf(service, 'password_refused'), 101, 'the rows of an account are all kept')
  service.clock.advance(HOUR)
  await wrongPassword(service, 'nobody-again')
  t.equal(await rowsOf(service, 'password_refused'), 102, 'and the next hour has its own hundred')
})

t.test('the pauses of made-up names are among that hundred', async (t) => {
  const service = await startService(t)
  for (let count = 0; count < 110; count++) await wrongPassword(service, `nobody-${Math.floor(count / 10)}`)
  t.equal((await rowsOf(service, 'password_refused')) + (await rowsOf(service, 'attempts_paused')), 100)
  t.equal(service.logLines.filter((line) => line.includes('"attempts_paused"')).length, 11)
})

t.test(
  'the counters of names that were tried a few times go after a day, others stay for months',
  async (t) => {
    const service = await startService(t)
    await enrol(service)
    await service.post('/login', { username: 'ada', password: 'not this one' })
    for (let count = 0; count < 10; count++) await wrongPassword(service, 'guessed')
    for (let count = 0; count < 9; count++) await wrongPassword(service, 'nobody')
    const counters = async () =>
      (
        await service.db
          .selectFrom('failure_counters')
          .select('failures')
          .where('factor', '=', 'password')
          .execute()
      )
        .map(({ failures }) => failures)
        .sort((a, b) => a - b)
    t.strictSame(await counters(), [1, 9, 9, 10, 10])

    service.clock.advance(24 * HOUR - 1)
    await cleanUp(service.deps)
    t.strictSame(await counters(), [1, 9, 9, 10, 10])
    service.clock.advance(1)
    await cleanUp(service.deps)
    t.strictSame(await counters(), [10, 10])
  },
)

t.test('authenticators that are set up again and again leave ten rows an hour of an account', async (t) => {
  const service = await startMeasured(t)
  /** For each sign-in a new one, and for each wrong code. */
  const setUp = async (username: string, times: number) => {
    const token = await login(service, username)
    for (let count = 0; count < times; count++) {
      const { status, body } = await service.post('/2fa/setup', undefined, token)
      t.equal(status, 200)
      if (count + 1 < times) await service.post('/2fa/verify', { code: wrongCode(service, body) }, token)
    }
  }
  await register(service, 'ada')
  for (const times of [5, 5, 4]) await setUp('ada', times)
  t.equal(await rowsOf(service, 'factor_pending'), 10, 'whatever the token')
  t.equal(samples(await service.metrics.text(), 'keyturn_audit_events_total')['event="factor_pending"'], 14)
  t.equal(service.logLines.filter((line) => line.includes('"factor_pending"')).length, 14)

  await register(service, 'grace')
  await setUp('grace', 1)
  t.equal(await rowsOf(service, 'factor_pending'), 11, 'others have their own ten')
  service.clock.advance(HOUR)
  for (const times of [5, 5, 1]) await setUp('ada', times)
  t.equal(await rowsOf(service, 'factor_pending'), 21, 'and so has the next hour')
  service.clock.advance(-3 * HOUR)
  await setUp('ada', 1)
  t.equal(
    await rowsOf(service, 'factor_pending'),
    22,
    'what a clock that was ahead has counted is not of this hour',
  )
})

t.test('recovery codes are renewed five times an hour', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const renew = async (accessToken = ada.accessToken) =>
    service.post('/2fa/recovery-codes', undefined, await accountTokenFor(service, accessToken))
  let codes: string[] = []
  for (let count = 1; count <= 5; count++) {
    const { status, body } = await renew()
    t.equal(status, 200, `${count}`)
    codes = body.recovery_codes
  }
  service.clock.advance(100)
  const refused = await renew()
  t.equal(outcomeOf(refused), '429 rate_limited')
  t.equal(refused.headers['retry-after'], String(HOUR - 100))
  const code = { code: codes[0], method: 'recovery_code' }
  t.equal((await service.post('/2fa/step-up', code, ada.accessToken)).status, 200, 'the last codes are good')

  service.clock.advance(HOUR - 100)
  const again = { code: codes[1], method: 'recovery_code' }
  const steppedUp = await service.post('/2fa/step-up', again, await fresh(service, ada.refreshToken))
  t.equal((await renew(steppedUp.body.access_token)).status, 200)
})

async function fresh(service: Service, refreshToken: string): Promise<string> {
  return (await service.post('/token/refresh', { refresh_token: refreshToken })).body.access_token
}
