// The attack: one mailed code is sent many times at once, to one process or to two, so that every check happens
// before the first use is recorded; or while the next code is being asked for.
import t from 'tap'
import {
  answerByEmail,
  enrolByEmail,
  enrolWithCodes,
  latestCode,
  mailedCode,
  mailing,
  registerWithEmail,
} from '../helpers/people/mail.ts'
import { sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { startMailServer } from '../helpers/programs/smtp.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { onPostgres } from '../helpers/service/database.ts'
import { login, nextCode, startService } from '../helpers/service/service.ts'

const BURST = 50

t.test('of fifty parallel requests with one mailed code, one wins', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolByEmail(service)
  const mfaToken = await login(service)
  const code = await mailedCode(service, mfaToken)
  const answers = await burst(BURST, () => answerByEmail(service, code, mfaToken))
  t.strictSame(tally(answers), { 200: 1, '401 invalid_token': BURST - 1 })
})

t.test('a mailed code is good once among two processes on one database file', async (t) => {
  const smtp = await startMailServer(t)
  const environment = { ...(await sharedEnvironment(t)), ...mailing(smtp), EMAIL_CODES: 'on' }
  const [first, second] = await Promise.all([startProcess(t, environment), startProcess(t, environment)])
  for (const username of ['ada', 'grace']) {
    const account = { username, password: 'correct horse battery', email: `${username}@example.com` }
    const { mfa_token: mfaToken } = (await first.post('/register', account)).body
    t.equal((await first.post('/2fa/email', undefined, mfaToken)).status, 202)
    const body = { code: latestCode(smtp), method: 'email' }
    const answers = await burst(BURST, (index) =>
      (index % 2 ? first : second).post('/2fa/verify', body, mfaToken),
    )
    t.equal(tally(answers)['200'], 1, JSON.stringify(tally(answers)))
    t.equal(answers.filter(({ body }) => body.recovery_codes).length, 1)
  }
})

t.test(
  'an old code and a new one that is being asked for: one session at most, and the old one dies',
  async (t) => {
    const service = await startService(t, { mail: true })
    await enrolByEmail(service)
    for (let round = 0; round < 5; round += 1) {
      service.clock.advance(3600)
      const mfaToken = await login(service)
      const old = await mailedCode(service, mfaToken)
      service.clock.advance(60)
      const [resent, answered] = await Promise.all([
        service.post('/2fa/email', undefined, mfaToken),
        answerByEmail(service, old, mfaToken),
      ])
      const late = await answerByEmail(service, old, mfaToken)
      t.not(late.status, 200, 'after the resend')
      if (answered.status === 200) t.equal(outcomeOf(late), '401 invalid_token')
      else {
        t.equal(resent.status, 202)
        const current = latestCode(service.smtp)
        t.equal((await answerByEmail(service, current, mfaToken)).status, 200, 'the new one is good')
      }
    }
  },
)

t.test('of two codes that were asked for at once, one is mailed', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolByEmail(service)
  const mfaToken = await login(service)
  const before = service.smtp.mails.length
  const answers = await burst(10, () => service.post('/2fa/email', undefined, mfaToken))
  t.strictSame(tally(answers), { 202: 1, '429 rate_limited': 9 })
  t.equal(service.smtp.mails.length - before, 1)
})

t.test('one mfa token with a code of every factor at once opens one session', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithCodes(service)
  const mfaToken = await login(service)
  const mailed = await mailedCode(service, mfaToken)
  const code = nextCode(service, ada)
  const answers = await Promise.all([
    service.post('/2fa/verify', { code }, mfaToken),
    answerByEmail(service, mailed, mfaToken),
    service.post('/2fa/verify', { code: ada.recoveryCodes[0], method: 'recovery_code' }, mfaToken),
  ])
  t.strictSame(tally(answers), { 200: 1, '401 invalid_token': 2 })
  const rest = await service.db
    .selectFrom('recovery_codes')
    .select('id')
    .where('used_at', 'is', null)
    .execute()
  t.equal(rest.length, answers[2].status === 200 ? 9 : 10, 'what opened nothing is unused')
})

t.test(
  'two first codes at once enrol the mailbox once: the recovery codes shown are the ones in force',
  async (t) => {
    const service = await startService(t, { mail: true })
    const { mfaToken } = await registerWithEmail(service)
    const tokens = [mfaToken, await login(service), await login(service)]
    const codes: string[] = []
    for (const token of tokens) codes.push(await mailedCode(service, token))
    const answers = await burst(3, (index) => answerByEmail(service, codes[index] ?? '', tokens[index] ?? ''))
    t.strictSame(tally(answers), { 200: 3 })
    const shown = answers.flatMap(({ body }) => (body.recovery_codes ? [body.recovery_codes] : []))
    t.equal(shown.length, 1)
    const answer = { code: shown[0][0], method: 'recovery_code' }
    t.equal((await service.post('/2fa/verify', answer, await login(service))).status, 200)
  },
)

t.test(
  'a mailbox and an authenticator that race to be the first factor do not both come for nothing',
  async (t) => {
    const service = await startService(t, { mail: true })
    for (let round = 0; round < 4; round += 1) {
      const username = `ada${round}`
      const { mfaToken } = await registerWithEmail(service, username)
      const other = await login(service, username)
      const mailed = await mailedCode(service, other)
      const { body: setup } = await service.post('/2fa/setup', undefined, mfaToken)
      const code = nextCode(service, setup)
      const attempts = [
        () => answerByEmail(service, mailed, other),
        () => service.post('/2fa/verify', { code }, mfaToken),
      ]
      if (round % 2) attempts.reverse()
      const answers = await Promise.all(attempts.map((attempt) => attempt()))
      const shown = answers.flatMap(({ body }) => (body.recovery_codes ? [body.recovery_codes] : []))
      t.equal(shown.length, 1, JSON.stringify(tally(answers)))
      const answer = { code: shown[0][0], method: 'recovery_code' }
      t.equal((await service.post('/2fa/verify', answer, await login(service, username))).status, 200)
      // SQLite takes them in the order of asking, PostgreSQL as they come.
      if (round % 2 === 0 && !onPostgres)
        t.equal(outcomeOf(answers[1] as never), '409 not_enrolled', 'the mailbox was there first')
    }
  },
)
