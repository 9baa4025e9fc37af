// The attack: six digits are a million guesses. Whoever knows the password asks for code after code and guesses
// at each, tries codes of one sign-in on another, or reads what the database keeps of them.
import { createHash } from 'node:crypto'
import t from 'tap'
import {
  answerByEmail,
  enrolByEmail,
  enrolWithCodes,
  giveAddress,
  type MailingService,
  mailedCode,
  registerWithEmail,
} from '../helpers/people/mail.ts'
import { outcomeOf, tally } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import {
  type Answer,
  login,
  nextCode,
  PASSWORD,
  startService,
  wrongCode,
} from '../helpers/service/service.ts'

/** Six digits that are not these. */
const otherThan = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0')

t.test('five wrong codes are all that a challenge has, over every resend', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolByEmail(service)
  const mfaToken = await login(service)
  const first = await mailedCode(service, mfaToken)
  for (const left of [4, 3, 2])
    t.match(await answerByEmail(service, otherThan(first), mfaToken), {
      status: 422,
      body: { attempts_left: left },
    })
  service.clock.advance(60)
  const second = await mailedCode(service, mfaToken)
  for (const left of [1, 0])
    t.match(await answerByEmail(service, otherThan(second), mfaToken), {
      status: 422,
      body: { attempts_left: left },
    })
  t.equal(outcomeOf(await answerByEmail(service, second, mfaToken)), '401 invalid_token', 'the right one')
  service.clock.advance(60)
  t.equal(outcomeOf(await service.post('/2fa/email', undefined, mfaToken)), '401 invalid_token')
})

t.test('codes by mail and of the authenticator share the five tries', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithCodes(service)
  const mfaToken = await login(service)
  const code = await mailedCode(service, mfaToken)
  for (let pair = 0; pair < 2; pair += 1) {
    await answerByEmail(service, otherThan(code), mfaToken)
    await service.post('/2fa/verify', { code: wrongCode(service, ada) }, mfaToken)
  }
  const last = await service.post('/2fa/verify', { code: 'wrong', method: 'recovery_code' }, mfaToken)
  t.equal(last.body.attempts_left, 0)
  t.equal(outcomeOf(await answerByEmail(service, code, mfaToken)), '401 invalid_token')
})

t.test('from the tenth wrong code in a row, over all challenges, each brings a longer pause', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolByEmail(service)
  const answers: Answer[] = []
  for (let challenge = 0; challenge < 2; challenge += 1) {
    const mfaToken = await login(service)
    const code = await mailedCode(service, mfaToken)
    for (let guess = 0; guess < 5; guess += 1)
      answers.push(await answerByEmail(service, otherThan(code), mfaToken))
  }
  t.strictSame(tally(answers), { '422 invalid_code': 10 })
  const mfaToken = await login(service)
  const code = await mailedCode(service, mfaToken)
  const paused = await answerByEmail(service, code, mfaToken)
  isProblem(t, paused, 'too_many_attempts')
  t.equal(paused.headers['retry-after'], '30')
  const [recoveryCode] = ada.recoveryCodes
  const answer = { code: recoveryCode, method: 'recovery_code' }
  t.equal((await service.post('/2fa/verify', answer, mfaToken)).status, 200, 'recovery codes are not paused')
})

t.test(
  'the hundredth wrong code in a row closes codes by mail, until the mailbox is proven again',
  async (t) => {
    const service = await startService(t, { mail: true })
    const { email, recoveryCodes } = await enrolByEmail(service)
    const guess = async () => {
      const mfaToken = await login(service)
      return answerByEmail(service, otherThan(await mailedCode(service, mfaToken)), mfaToken)
    }
    await guess()
    await service.db
      .updateTable('failure_counters')
      .set({ failures: 99 })
      .where('factor', '=', 'email')
      .execute()
    t.equal(outcomeOf(await guess()), '422 invalid_code', 'the hundredth')
    service.clock.advance(3 * 365 * 24 * 3600)
    const closed = (await service.post('/login', { username: 'ada', password: PASSWORD })).body
    t.strictSame(closed.methods, ['recovery_code'], 'it is not offered any more')

    const answer = { code: recoveryCodes[0], method: 'recovery_code' }
    const { access_token: token } = (await service.post('/2fa/verify', answer, closed.mfa_token)).body
    await giveAddress(service, token, email)
    const open = (await service.post('/login', { username: 'ada', password: PASSWORD })).body
    t.strictSame(open.methods, ['email', 'recovery_code'])
    const right = await answerByEmail(service, await mailedCode(service, open.mfa_token), open.mfa_token)
    t.equal(right.status, 200)
  },
)

t.test('a code is good for the challenge it was asked for with, and for no other', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolByEmail(service, 'ada')
  await enrolByEmail(service, 'grace')
  const asked = await login(service, 'ada')
  const code = await mailedCode(service, asked)
  for (const other of [await login(service, 'ada'), await login(service, 'grace')]) {
    t.equal(outcomeOf(await answerByEmail(service, code, other)), '422 invalid_code', 'none was asked for')
    await mailedCode(service, other)
    t.equal(outcomeOf(await answerByEmail(service, code, other)), '422 invalid_code', 'another was')
  }
  t.equal((await answerByEmail(service, code, asked)).status, 200, 'the code is still unused')
})

t.test('an hour has ten mails for one account, over all its challenges', async (t) => {
  const service = await startService(t, { mail: true })
  const mails = service.smtp.mails.length
  await registerWithEmail(service)
  await giveTenMails(service)
  const eleventh = await service.post('/2fa/email', undefined, await login(service))
  isProblem(t, eleventh, 'rate_limited')
  t.equal(service.smtp.mails.length - mails, 10)
  service.clock.advance(Number(eleventh.headers['retry-after']) - 1)
  const stillTooMany = await service.post('/2fa/email', undefined, await login(service))
  t.equal(outcomeOf(stillTooMany), '429 rate_limited')
  service.clock.advance(1)
  const next = await service.post('/2fa/email', undefined, await login(service))
  t.equal(next.status, 202, 'Retry-After was true')
})

async function giveTenMails(service: MailingService): Promise<void> {
  const proven = await login(service)
  const code = await mailedCode(service, proven)
  await answerByEmail(service, code, proven)
  for (let mail = 0; mail < 9; mail += 1) await mailedCode(service, await login(service))
}

t.test('a stranger cannot fill a mailbox by giving its address to account after account', async (t) => {
  const service = await startService(t, { mail: true })
  const victim = await enrolByEmail(service, 'victim')
  service.clock.advance(3600)
  const before = service.smtp.mails.length
  const answers: Answer[] = []
  for (let account = 0; account < 8; account += 1) {
    const email = account % 2 ? victim.email : victim.email.toUpperCase()
    const { mfaToken } = await registerWithEmail(service, `stranger${account}`, email)
    answers.push(await service.post('/2fa/email', undefined, mfaToken))
  }
  t.strictSame(tally(answers), { 202: 5, '429 rate_limited': 3 })
  t.equal(service.smtp.mails.length - before, 5)
  const own = await login(service, 'victim')
  t.equal((await service.post('/2fa/email', undefined, own)).status, 202, 'its owner is not shut out by that')
})

t.test('what is kept of a code does not tell it', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolByEmail(service)
  const mfaToken = await login(service)
  const code = await mailedCode(service, mfaToken)
  const rows = await service.db.selectFrom('email_codes').selectAll().where('used_at', 'is', null).execute()
  t.equal(rows.length, 1)
  const kept = Object.values(rows[0] ?? {}).map(String)
  t.notOk(kept.includes(code))
  for (const encoding of ['hex', 'base64', 'base64url'] as const)
    t.notOk(kept.includes(createHash('sha256').update(code).digest(encoding)), 'a million hashes are quick')
  t.notOk(service.logLines.some((line) => new RegExp(`\\b${code}\\b`).test(line)))
})

t.test('a code that was mailed to an address is void when the account has another one', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithCodes(service)
  const mfaToken = await login(service)
  const code = await mailedCode(service, mfaToken)
  service.clock.advance(60)
  await giveAddress(service, ada.accessToken, 'new@example.com')
  t.equal(outcomeOf(await answerByEmail(service, code, mfaToken)), '422 invalid_code')
  t.equal((await service.post('/2fa/verify', { code: nextCode(service, ada) }, mfaToken)).status, 200)
})
