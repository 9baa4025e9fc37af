// The fault: the clock jumps, forwards or back, by seconds, a minute or a year. Nothing that was used or has expired
// becomes good again, and when the clock is right once more nobody stays shut out.
import t from 'tap'
import { outcomeOf } from '../helpers/burst.ts'
import {
  deliver,
  enrolWithAddress,
  mailedToken,
  registerWithEmail,
  setEmail,
  startMailingService,
} from '../helpers/mail.ts'
import {
  type Answer,
  enrol,
  login,
  nextCode,
  type Service,
  startService,
  wrongCode,
} from '../helpers/service.ts'
import { isAlive, refresh, signIn } from '../helpers/sessions.ts'
import { totp } from '../helpers/totp.ts'

const YEAR = 365 * 24 * 3600
const JUMPS = [5, 60, YEAR]

type Owner = { username: string; secret: string }

async function answer(service: Service, { username }: Owner, code: string): Promise<Answer> {
  return service.post('/2fa/verify', { code }, await login(service, username))
}

/** Ten wrong codes: a pause of half a minute begins. */
async function beginPause(service: Service, owner: Owner): Promise<void> {
  for (let wrong = 0; wrong < 10; wrong += 1) await answer(service, owner, wrongCode(service, owner))
}

for (const seconds of JUMPS) {
  t.test(`${seconds} s back: a code that was used is not good again`, async (t) => {
    const service = await startService(t)
    const ada = await enrol(service)
    const code = nextCode(service, ada)
    t.equal((await answer(service, ada, code)).status, 200)
    service.clock.advance(-seconds)
    t.equal(outcomeOf(await answer(service, ada, code)), '422 invalid_code')
    service.clock.advance(seconds)
    t.ok((await signIn(service, ada)).accessToken, 'the next one is')
  })

  t.test(`${seconds} s forwards: all expires in time, and who signs in anew is in`, async (t) => {
    const service = await startService(t)
    const ada = await enrol(service)
    const mfaToken = await login(service)
    service.clock.advance(seconds)
    t.equal(await isAlive(service, ada.accessToken), seconds < 600)
    t.equal((await refresh(service, ada.refreshToken)).status, seconds < YEAR ? 200 : 401)
    const code = totp(ada.secret, service.clock.now() + 30_000)
    t.equal((await service.post('/2fa/verify', { code }, mfaToken)).status, seconds < 300 ? 200 : 401)
    service.clock.advance(30)
    t.ok((await signIn(service, ada)).accessToken)
  })

  t.test(
    `a clock that was ${seconds} s ahead and is right again: its tokens are of the future`,
    async (t) => {
      const service = await startService(t)
      service.clock.advance(seconds)
      const ada = await enrol(service)
      const mfaToken = await login(service)
      service.clock.advance(-seconds)
      // As far as clocks of two processes may differ.
      const near = seconds <= 60
      t.equal(await isAlive(service, ada.accessToken), near)
      t.equal((await service.post('/2fa/setup', undefined, mfaToken)).status, near ? 409 : 401)
      t.equal((await refresh(service, ada.refreshToken)).status, 200, 'the owner goes on')
      const code = { code: ada.recoveryCodes[0], method: 'recovery_code' }
      t.equal((await service.post('/2fa/verify', code, await login(service))).status, 200, 'and gets in')
    },
  )
}

t.test('a pause that began when the clock was a year ahead does not last a year', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  service.clock.advance(YEAR)
  await beginPause(service, ada)
  t.equal(outcomeOf(await answer(service, ada, '000000')), '429 too_many_attempts')
  service.clock.advance(-YEAR)
  t.equal((await answer(service, ada, nextCode(service, ada))).status, 200)
})

t.test('a pause is not over because the clock was set back a little', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  await beginPause(service, ada)
  for (const seconds of [5, 55]) {
    service.clock.advance(-seconds)
    const { status, headers } = await answer(service, ada, '000000')
    t.equal(status, 429)
    t.ok(Number(headers['retry-after']) <= 90)
  }
})

t.test('the longest pause is on for a process whose clock is behind', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  await beginPause(service, ada)
  await service.db.updateTable('failure_counters').set({ failures: 30 }).execute()
  service.clock.advance(30)
  await answer(service, ada, wrongCode(service, ada))
  for (const seconds of [0.001, 5, 54]) {
    service.clock.advance(-seconds)
    t.equal(outcomeOf(await answer(service, ada, wrongCode(service, ada))), '429 too_many_attempts')
  }
})

t.test('a factor that failed too often stays closed, wherever the clock goes', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  await answer(service, ada, wrongCode(service, ada))
  await service.db
    .updateTable('failure_counters')
    .set({ failures: 99 })
    .where('factor', '=', 'totp')
    .execute()
  await answer(service, ada, wrongCode(service, ada))
  for (const seconds of [YEAR, -2 * YEAR, 50 * YEAR]) {
    service.clock.advance(seconds)
    t.equal(outcomeOf(await answer(service, ada, nextCode(service, ada))), '429 too_many_attempts')
  }
})

t.test('after a year ahead codes are mailed again at once', async (t) => {
  const service = await startMailingService(t)
  const ada = await enrol(service)
  await registerWithEmail(service, 'grace')
  const later = async (call: () => Promise<Answer>) => {
    service.clock.advance(YEAR)
    const answers = []
    for (let time = 0; time < 6; time += 1) {
      answers.push(await call())
      service.clock.advance(60)
    }
    service.clock.advance(-YEAR - 360)
    return answers.map(outcomeOf)
  }
  const begin = async () => setEmail(service, (await signIn(service, ada)).accessToken, 'ada@example.com')
  const send = async () => service.post('/2fa/email', undefined, await login(service, 'grace'))

  const five = ['202', '202', '202', '202', '202', '429 rate_limited']
  t.strictSame(await later(send), five, 'five an hour')
  t.equal((await send()).status, 202)
  service.clock.advance(YEAR)
  t.equal((await begin()).status, 202)
  service.clock.advance(-YEAR)
  // The code of that year is spent: this account signs in by another way.
  const code = { code: ada.recoveryCodes[0], method: 'recovery_code' }
  const { body } = await service.post('/2fa/verify', code, await login(service))
  t.equal((await setEmail(service, body.access_token, 'ada@example.com')).status, 202)
})

t.test('after a year ahead a password is reset, and the mail that waits goes out', async (t) => {
  const service = await startMailingService(t)
  await enrolWithAddress(service)
  service.clock.advance(YEAR)
  t.match(await mailedToken(service), /./)
  await service.post('/password/forgot', { username: 'ada' })
  service.smtp.behave({ refuse: ['connect', 421] })
  await deliver(service)
  service.clock.advance(-YEAR)

  service.smtp.behave({})
  await service.post('/password/forgot', { username: 'ada' })
  const mails = await deliver(service)
  t.ok(mails.length >= 1, 'the mail of then, or of now')
  t.strictSame(await service.db.selectFrom('outbox').selectAll().execute(), [], 'none waits for a year')
  service.clock.advance(61)
  t.match(await mailedToken(service), /./)
})
