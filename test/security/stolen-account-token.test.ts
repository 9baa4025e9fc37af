// The attack: what a sign-in was answered with is copied on its way or where the app keeps it: the account token alone,
// or all three tokens. docs/what-a-thief-gets.md has every cell of it; here are those that SECURITY.md names.
import t from 'tap'
import { codeIn, deliver, enrolWithAddress, notices } from '../helpers/people/mail.ts'
import { expecting, Person } from '../helpers/people/person.ts'
import { accountTokenFor, isAlive, refresh } from '../helpers/people/sessions.ts'
import { Thief } from '../helpers/people/thief.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { enrol, PASSWORD, startService } from '../helpers/service/service.ts'

t.test('an account token is one change, which its owner takes back', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrol(service)
  const { holds } = new Thief(service, 'ada', { accountToken: ada.accountToken })
  await expecting(200, holds.setUp())
  await expecting(200, holds.confirm())
  service.clock.advance(30)
  const next = await holds.stepUp({ code: holds.code() })
  t.strictSame([next.status, next.body.account_token], [200, undefined], 'there is no second change')

  const owner = new Person(service)
  await expecting(200, owner.logIn(PASSWORD, ada.recoveryCodes[0]))
  await expecting(200, owner.setUp())
  await expecting(200, owner.confirm())
  t.notOk(await isAlive(service, holds.accessToken))
  t.equal(outcomeOf(await refresh(service, holds.refreshToken)), '401 invalid_refresh_token')
})

t.test('or it deletes the account, for good', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  t.equal((await service.delete('/me', ada.accountToken)).status, 204)
  t.equal((await new Person(service).logIn(PASSWORD, ada.recoveryCodes[0])).status, 401)
})

t.test('with the access token beside it, it moves the address, and a password comes by mail', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  const accountToken = await accountTokenFor(service, ada.accessToken)
  const thief = new Thief(service, 'ada', { ...ada, secret: '', recoveryCodes: [], accountToken })
  thief.mailbox = 'thief@evil.example'
  service.clock.advance(61)
  await expecting(202, service.put('/me/email', { email: thief.mailbox }, accountToken))
  const code = codeIn(service.smtp.mails.at(-1))
  await expecting(200, service.post('/me/email/verify', { code }, ada.accessToken))
  t.strictSame(notices(await deliver(service)), [
    'your address was changed → ada@example.com',
    'your address was changed → thief@evil.example',
  ])
  t.ok(await thief.resets())
  const owner = new Person(service)
  t.equal((await owner.logIn()).status, 401, 'the owner is out')
  t.equal((await owner.logIn(PASSWORD, ada.recoveryCodes[0])).status, 401, 'also with a recovery code')
  t.notOk(await thief.signsIn(), 'and the thief has no factor')
})

t.test('under MFA_POLICY=optional, one of an account without a factor is the account', async (t) => {
  const service = await startService(t, { mail: true, environment: { MFA_POLICY: 'optional' } })
  const { body } = await expecting(201, new Person(service).register())
  const { holds } = new Thief(service, 'ada', { accountToken: body.account_token })
  await expecting(200, holds.setUp())
  await expecting(200, holds.confirm())
  t.ok(await isAlive(service, holds.accessToken))
  t.equal(holds.recoveryCodes.length, 10)

  t.match((await new Person(service).logIn()).body, { mfa_required: true, enrolled: true })
})
