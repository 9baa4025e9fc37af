// The attack: a phone is taken while it is unlocked. It holds the session of its owner and the authenticator, but
// neither the password nor the recovery codes.
import t from 'tap'
import { inPlaceOfTheOld } from '../helpers/people/factors.ts'
import { codeIn, enrolWithAddress, type MailingService } from '../helpers/people/mail.ts'
import { expecting, Person } from '../helpers/people/person.ts'
import { isAlive, refresh } from '../helpers/people/sessions.ts'
import { Thief } from '../helpers/people/thief.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { type Enrolled, enrol, PASSWORD, startService } from '../helpers/service/service.ts'

/** For how long a password that was shown counts, in seconds. */
const SHOWN = 300

function thiefOf(service: MailingService, phone: Enrolled, mailbox?: string): Thief {
  const { secret, accessToken, refreshToken } = phone
  return new Thief(service, 'ada', { secret, accessToken, refreshToken, ...(mailbox && { mailbox }) })
}

t.test('without the password the phone reads and signs out, and changes nothing', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrol(service)
  service.clock.advance(SHOWN - 29)
  const thief = thiefOf(service, ada)
  const byCode = await thief.holds.stepUp({ code: thief.nextCode() })
  t.strictSame([byCode.status, byCode.body.account_token], [200, undefined], 'the password is too long ago')

  const token = byCode.body.access_token
  for (const [method, path, body] of [
    ['POST', '/2fa/setup'],
    ['POST', '/2fa/setup/confirm', { code: '000000' }],
    ['POST', '/2fa/recovery-codes'],
    ['PUT', '/2fa/email', { enabled: false }],
    ['POST', '/2fa/passkeys/options'],
    ['PATCH', '/2fa/factors/some-id', { name: 'mine' }],
    ['DELETE', '/2fa/factors/some-id'],
    ['DELETE', '/2fa'],
    ['PUT', '/me/email', { email: 'thief@evil.example' }],
    ['POST', '/password/change', { current_password: 'a guess', new_password: 'a better guess' }],
    ['DELETE', '/me'],
  ] as const)
    isProblem(t, await service.post(path, body, token, { method }), 'insufficient_user_authentication')
  t.notOk(await thief.resets(), 'no mail comes to the thief')

  for (let guess = 0; guess < 5; guess += 1) {
    const guessed = await thief.holds.stepUp({ code: thief.nextCode(), password: `guess ${guess}` })
    t.equal(outcomeOf(guessed), '401 invalid_credentials')
  }
  const over = await thief.holds.stepUp({ code: thief.nextCode(), password: PASSWORD })
  t.match(over, { status: 429, body: { reason: 'sign_in_again' } })

  t.equal((await thief.holds.refresh()).status, 200, 'the session goes on')
  t.equal((await thief.from.get('/me/events', token)).status, 200)
  t.equal((await service.delete('/sessions', token)).status, 204)
})

t.test('the password and a recovery code bring the owner back, and throw the phone out', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrol(service)
  service.clock.advance(SHOWN + 1)
  const thief = thiefOf(service, ada)
  t.equal((await thief.holds.refresh()).status, 200)

  const owner = new Person(service)
  await expecting(200, owner.logIn(PASSWORD, ada.recoveryCodes[0]))
  await expecting(200, owner.setUp(await inPlaceOfTheOld(service, owner.accessToken)))
  await expecting(200, owner.confirm())
  t.notOk(await isAlive(service, thief.holds.accessToken))
  t.equal(outcomeOf(await refresh(service, thief.holds.refreshToken)), '401 invalid_refresh_token')
  await owner.logIn()
  t.equal(
    outcomeOf(await owner.verify(thief.nextCode())),
    '422 invalid_code',
    'the old authenticator is void',
  )
})

t.test('so does the end of all other sessions', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrol(service)
  service.clock.advance(SHOWN + 1)
  const thief = thiefOf(service, ada)
  const owner = new Person(service)
  await expecting(200, owner.logIn(PASSWORD, ada.recoveryCodes[0]))
  t.equal((await service.delete('/sessions', owner.accessToken)).status, 204)
  t.notOk(await isAlive(service, thief.holds.accessToken))
  t.equal(outcomeOf(await thief.holds.refresh()), '401 invalid_refresh_token')
  t.notOk(await thief.signsIn(), 'the authenticator alone signs nobody in')
})

t.test('within 300 s of the password, the phone is the account', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrol(service)
  service.clock.advance(SHOWN - 30)
  const thief = thiefOf(service, ada)
  t.ok(await thief.stepsUp())
  t.ok(thief.token, 'a code alone brings an account token')

  thief.mailbox = 'thief@evil.example'
  await expecting(202, service.put('/me/email', { email: thief.mailbox }, thief.token))
  const code = codeIn(service.smtp.mails.at(-1))
  await expecting(200, service.post('/me/email/verify', { code }, thief.holds.accessToken))
  t.ok(await thief.resets())
  t.ok(await thief.signsIn())
  t.ok(await isAlive(service, thief.holds.accessToken))
  t.equal((await new Person(service).logIn()).status, 401)
})

t.test('with the mailbox on it, the phone is the account at any time', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  service.clock.advance(30 * 24 * 3600 - 1)
  const thief = thiefOf(service, ada, ada.email)
  t.ok(await thief.resets())
  t.ok(await thief.signsIn())
  t.ok(thief.holds.accountToken)
  t.equal((await new Person(service).logIn()).status, 401)
})
