// The fault: the clock jumps, forwards or back, by seconds, a minute or a year. Nothing that was used or has expired
// becomes good again, and when the clock is right once more nobody stays shut out.
import t, { type Test } from 'tap'
import { inPlaceOfTheOld } from '../helpers/people/factors.ts'
import {
  deliver,
  enrolByEmail,
  enrolWithAddress,
  mailedToken,
  registerWithEmail,
  setEmail,
} from '../helpers/people/mail.ts'
import { isAlive, refresh, signedInBy, signIn } from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import {
  type Answer,
  type Enrolled,
  enrol,
  login,
  nextCode,
  PASSWORD,
  type Service,
  startService,
  testClock,
  wrongCode,
} from '../helpers/service/service.ts'

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

  t.test(`${seconds} s forwards: all expires in time, and who signs in again is in`, async (t) => {
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
      if (near) service.clock.advance(seconds)
      t.equal((await answer(service, ada, nextCode(service, ada))).status, 200, 'and gets in')
    },
  )
}

/** The wrong codes that are counted against the authenticator of an account. */
async function guesses({ db }: Service, { id }: Enrolled): Promise<number> {
  const row = await db
    .selectFrom('failure_counters')
    .select('failures')
    .where('subject', '=', id)
    .where('factor', '=', 'totp')
    .executeTakeFirst()
  return row?.failures ?? 0
}

interface Interrupted {
  service: Service
  ada: Enrolled
  /** The codes that were used, the latest last. */
  used: string[]
}

/** An owner whose codes were used while the clock was right, and then so many times while it was wrong. */
async function withWrongClock(t: Test, seconds: number, signIns: number): Promise<Interrupted> {
  const service = await startService(t, { spared: ['countersAreResetBySuccess'] })
  const ada = await enrol(service)
  const used = [ada.confirmingCode]
  const useNext = async () => {
    const code = nextCode(service, ada)
    if (used.includes(code)) return
    t.equal((await answer(service, ada, code)).status, 200)
    used.push(code)
  }
  await useNext()
  service.clock.advance(seconds)
  for (let time = 0; time < signIns; time += 1) await useNext()
  service.clock.advance(-seconds)
  return { service, ada, used }
}

/** Sends again what was used lately. */
async function replayAll(t: Test, { service, ada, used }: Interrupted): Promise<void> {
  for (const code of used.slice(-3))
    t.equal(outcomeOf(await answer(service, ada, code)), '422 invalid_code', 'what was used stays used')
  // Such codes are counted as wrong ones, which this is not about.
  await service.db.updateTable('failure_counters').set({ failures: 0, blocked_until: 0 }).execute()
}

// A clock that was nearer may be that of another process: what it has spent counts.
for (const seconds of [300, 3600, YEAR].flatMap((seconds) => [seconds, -seconds]))
  for (const signIns of [1, 4])
    t.test(
      `${signIns} sign-ins while the clock was ${seconds} s off: right again, codes are good, each of them once`,
      async (t) => {
        const interrupted = await withWrongClock(t, seconds, signIns)
        const { service, ada, used } = interrupted
        for (let step = 0; step < 4; step += 1) {
          const code = totp(ada.secret, service.clock.now())
          const again = used.includes(code)
          t.equal(outcomeOf(await answer(service, ada, code)), again ? '422 invalid_code' : '200')
          if (!again) t.equal(await guesses(service, ada), 0, 'it was no guess')
          t.equal(outcomeOf(await answer(service, ada, code)), '422 invalid_code', 'it is good once')
          await replayAll(t, interrupted)
          service.clock.advance(30)
        }
        // The time comes that the clock was at.
        service.clock.advance(Math.max(seconds - 150, 0))
        for (let step = 0; step < signIns; step += 1) {
          await replayAll(t, interrupted)
          service.clock.advance(30)
        }
      },
    )

t.test(
  'an authenticator that was set up while the clock was ahead is good when it is right again',
  async (t) => {
    const service = await startService(t)
    service.clock.advance(YEAR)
    const ada = await enrol(service)
    service.clock.advance(-YEAR)
    t.equal((await answer(service, ada, nextCode(service, ada))).status, 200)
    t.equal(await guesses(service, ada), 0)
  },
)

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
  const service = await startService(t, { mail: true })
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
  t.equal((await begin()).status, 202)
})

t.test('after a year ahead a password is reset, and the mail that waits goes out', async (t) => {
  const service = await startService(t, { mail: true })
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

t.test('a clock that goes on during a request makes no first factor younger than itself', async (t) => {
  const time = testClock()
  const now = () => {
    time.advance(0.001)
    return time.now()
  }
  const service = await startService(t, { mail: true, clock: { ...time, now } })
  const mailed = await enrolByEmail(service, 'grace')
  const enrolled = await enrol(service)
  const inPlace = await inPlaceOfTheOld(service, enrolled.accessToken)
  const { secret } = (await service.post('/2fa/setup', inPlace, enrolled.accountToken)).body
  const code = totp(secret, now())
  t.equal((await service.post('/2fa/setup/confirm', { code }, enrolled.accountToken)).status, 200)
  const replaced = await signIn(service, { username: 'ada', secret })
  const first = await enrol(service, 'edsger')
  for (const { accountToken } of [mailed, replaced, first])
    t.equal(outcomeOf(await service.post('/2fa/recovery-codes', undefined, accountToken)), '200')
})

t.test('what was shown while the clock was a year ahead is not recent for a year', async (t) => {
  const service = await startService(t)
  service.clock.advance(YEAR)
  const ada = await enrol(service)
  service.clock.advance(-YEAR)
  const { accessToken } = signedInBy(await refresh(service, ada.refreshToken))
  const body = { code: ada.recoveryCodes[0], method: 'recovery_code' }
  const steppedUp = await service.post('/2fa/step-up', body, accessToken)
  t.strictSame([steppedUp.status, steppedUp.body.account_token], [200, undefined], 'the password is not')
  const both = { code: ada.recoveryCodes[1], method: 'recovery_code', password: PASSWORD }
  t.ok((await service.post('/2fa/step-up', both, accessToken)).body.account_token)
})
