import t from 'tap'
import {
  codeIn,
  deliver,
  enrolWithAddress,
  giveAddress,
  mailedToken,
  notices,
  registerWithEmail,
} from '../helpers/people/mail.ts'
import { disableAccount, isAlive, refresh, signIn } from '../helpers/people/sessions.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import {
  type Answer,
  login,
  nextCode,
  PASSWORD,
  type Service,
  startService,
} from '../helpers/service/service.ts'

const NEXT = 'staple in a haystack'

function reset(service: Service, token: string, next = NEXT): Promise<Answer> {
  return service.post('/password/reset', { token, new_password: next })
}

t.test('a forgotten password is reset with the token from the mailbox', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  const session = await signIn(service, ada)
  const challenge = await login(service)

  const asked = await service.post('/password/forgot', { username: 'ADA' })
  t.equal(asked.status, 202)
  t.equal(asked.text, '')
  const [mail] = await deliver(service)
  t.strictSame(mail?.to, [ada.email])
  const token = codeIn(mail)
  t.match(token, /^[\w-]{43}$/, '256 bits')
  t.equal((await reset(service, token)).status, 204)

  t.notOk(await isAlive(service, ada.accessToken))
  t.notOk(await isAlive(service, session.accessToken))
  t.equal(outcomeOf(await refresh(service, session.refreshToken)), '401 invalid_refresh_token')
  const stale = await service.post('/2fa/verify', { code: nextCode(service, ada) }, challenge)
  t.equal(outcomeOf(stale), '401 invalid_token', 'an mfa token from before is dead')
  const old = await service.post('/login', { username: 'ada', password: PASSWORD })
  t.equal(outcomeOf(old), '401 invalid_credentials')

  const { body } = await service.post('/login', { username: 'ada', password: NEXT })
  t.match(body, { mfa_required: true, enrolled: true }, 'the second factor is still asked for')
  const verified = await service.post('/2fa/verify', { code: nextCode(service, ada) }, body.mfa_token)
  t.equal(verified.status, 200)
  t.strictSame(notices(await deliver(service)), ['your password was reset → ada@example.com'])
})

t.test('a token is good once, also in a burst', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolWithAddress(service)
  const token = await mailedToken(service)
  const answers = await burst(20, (index) => reset(service, token, `staple in haystack ${index}`))
  t.strictSame(tally(answers), { 204: 1, '401 invalid_token': 19 })
  const winner = answers.findIndex(({ status }) => status === 204)
  t.ok(await login(service, 'ada', `staple in haystack ${winner}`))
  isProblem(t, await reset(service, token), 'invalid_token')
})

t.test('a token lives for an hour', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolWithAddress(service)
  for (const [age, expected] of [
    [3599, '204'],
    [3600, '401 invalid_token'],
  ] as const) {
    const token = await mailedToken(service)
    service.clock.advance(age)
    t.equal(outcomeOf(await reset(service, token)), expected, `after ${age} s`)
  }
})

t.test('a newer token voids the older ones', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolWithAddress(service)
  const older = await mailedToken(service)
  service.clock.advance(60)
  const newer = await mailedToken(service)
  t.equal(outcomeOf(await reset(service, older)), '401 invalid_token')
  t.equal((await reset(service, newer)).status, 204)
})

t.test('a change of address voids the token that was mailed to the old one', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  service.clock.advance(60)
  const token = await mailedToken(service)
  await giveAddress(service, ada.accessToken, 'new@example.com')
  t.equal(outcomeOf(await reset(service, token)), '401 invalid_token')
})

t.test('a token that nobody has made is refused, whatever it looks like', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  for (const token of ['A'.repeat(43), 'x', ada.accessToken.slice(0, 256), ada.refreshToken, "' or 1=1 --"])
    isProblem(t, await reset(service, token), 'invalid_token')
})

t.test('a password that is too easy is refused, and the token stays good', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolWithAddress(service)
  const token = await mailedToken(service)
  const rejected = await reset(service, token, 'password123')
  isProblem(t, rejected, 'password_rejected')
  t.strictSame(rejected.body.reasons, ['common'])
  t.equal(outcomeOf(await reset(service, token, 'short')), '422 password_rejected')
  t.equal((await reset(service, token)).status, 204)
})

t.test('a token of an account that was disabled since is refused', async (t) => {
  const service = await startService(t, { mail: true })
  const { id } = await enrolWithAddress(service)
  const token = await mailedToken(service)
  await disableAccount(service, id)
  t.equal(outcomeOf(await reset(service, token)), '401 invalid_token')
})

t.test('the database keeps no token that could be used', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolWithAddress(service)
  const token = await mailedToken(service)
  const rows = await service.db.selectFrom('password_resets').selectAll().execute()
  t.equal(rows.length, 1)
  t.notOk(JSON.stringify(rows).includes(token))
  t.equal(outcomeOf(await reset(service, rows[0]?.token_hash ?? '')), '401 invalid_token')
  t.notOk(service.logLines.some((line) => line.includes(token)))
})

t.test('one mail a minute and five an hour go to one account, however often it is asked for', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolWithAddress(service)
  const before = service.smtp.mails.length
  await burst(30, () => service.post('/password/forgot', { username: 'ada' }))
  await deliver(service)
  t.equal(service.smtp.mails.length - before, 1)
  const forget = async () => {
    t.equal((await service.post('/password/forgot', { username: 'ada' })).status, 202)
    await deliver(service)
  }
  service.clock.advance(59)
  await forget()
  t.equal(service.smtp.mails.length - before, 1, 'not before the minute is over')
  service.clock.advance(1)
  await forget()
  t.equal(service.smtp.mails.length - before, 2)
  for (let minute = 1; minute < 8; minute += 1) {
    service.clock.advance(60)
    await forget()
  }
  t.equal(service.smtp.mails.length - before, 5)
})

t.test('tokens that could not be mailed do not use up the mails of the hour', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolWithAddress(service)
  service.smtp.behave({ refuse: ['connect', 421] })
  await service.post('/password/forgot', { username: 'ada' })
  for (let minute = 0; minute < 40; minute += 1) {
    if (minute === 2) await service.post('/password/forgot', { username: 'ada' })
    await deliver(service)
    service.clock.advance(60)
  }
  service.smtp.behave({})
  service.clock.advance(3600)
  const [mail] = await deliver(service)
  t.equal((await reset(service, codeIn(mail))).status, 204)
})

t.test('nothing is mailed to an address that nobody has proven', async (t) => {
  const service = await startService(t, { mail: true })
  await registerWithEmail(service)
  const { id } = await enrolWithAddress(service, 'disabled')
  await disableAccount(service, id)
  const before = service.smtp.mails.length
  for (const username of ['ada', 'disabled', 'nobody', 'ada@example.com', 'no such name!'])
    t.equal((await service.post('/password/forgot', { username })).status, 202)
  await deliver(service)
  t.equal(service.smtp.mails.length, before)
  t.strictSame(await service.db.selectFrom('outbox').selectAll().execute(), [])
})
