import t from 'tap'
import { deliver, enrolWithAddress, giveAddress, notices, setEmail } from '../helpers/people/mail.ts'
import { expecting, Person } from '../helpers/people/person.ts'
import { signIn } from '../helpers/people/sessions.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import {
  type Enrolled,
  enrol,
  login,
  nextCode,
  PASSWORD,
  type Service,
  startService,
} from '../helpers/service/service.ts'
import { watchingStatements } from '../helpers/service/statements.ts'

/** The owner is told of a full sign-in from a network that is not the account's own. */

const [HOME, OFFICE, CAFE] = ['127.0.0.1', '198.51.100.7', '203.0.113.7']
const MAIL = 'a sign-in from a new place → ada@example.com'
const DAY = 86_400

/** Signs in from there. */
async function signInFrom(
  service: Service,
  ada: Pick<Enrolled, 'secret'>,
  remoteAddress: string,
  password = PASSWORD,
) {
  const from = { remoteAddress }
  const { body } = await service.post('/login', { username: 'ada', password }, undefined, from)
  const code = { code: nextCode(service, ada) }
  const answer = await service.post('/2fa/verify', code, body.mfa_token, from)
  if (answer.status !== 200) throw new Error(outcomeOf(answer))
  return answer.body
}

const eventsOf = async ({ db }: Service) =>
  (await db.selectFrom('audit_events').select('ip').where('event', '=', 'new_network').execute()).map(
    ({ ip }) => ip,
  )

t.test('a sign-in from a new network is an event and a mail, from a known one neither', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  await signInFrom(service, ada, HOME)
  await signInFrom(service, ada, '127.0.0.99')
  t.strictSame(notices(await deliver(service)), [], 'the first network is no news, and this one is the same')
  await signInFrom(service, ada, OFFICE)
  const mails = await deliver(service)
  t.strictSame(notices(mails), [MAIL])
  t.match(mails[0]?.text, `IP address ${OFFICE}`)
  service.clock.advance(2 * DAY)
  for (const ip of [OFFICE, HOME]) await signInFrom(service, ada, ip)
  t.strictSame(notices(await deliver(service)), [])
  t.strictSame(await eventsOf(service), [OFFICE])
})

t.test('a day has one mail of an account, and all events', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  for (const ip of [OFFICE, CAFE, '192.0.2.1']) await signInFrom(service, ada, ip)
  t.strictSame(notices(await deliver(service)), [MAIL])
  service.clock.advance(DAY)
  await signInFrom(service, ada, '192.0.3.1')
  t.strictSame(notices(await deliver(service)), [MAIL])
  t.strictSame(await eventsOf(service), [OFFICE, CAFE, '192.0.2.1', '192.0.3.1'])
})

t.test('an own network is new again after 180 days', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  service.clock.advance(180 * DAY)
  await signInFrom(service, ada, HOME)
  t.strictSame(notices(await deliver(service)), [MAIL], 'also where the account was not used elsewhere')
})

t.test('a new password brings one mail at most, not one for each network', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  for (const ip of [OFFICE, CAFE]) await signInFrom(service, ada, ip)
  service.clock.advance(DAY)
  const { account_token } = await signInFrom(service, ada, CAFE)
  const next = 'staple in a haystack'
  const body = { current_password: PASSWORD, new_password: next }
  const changed = await service.post('/password/change', body, account_token, { remoteAddress: CAFE })
  t.equal(changed.status, 200)
  await deliver(service)
  for (const ip of [HOME, OFFICE, CAFE, HOME]) await signInFrom(service, ada, ip, next)
  t.strictSame(notices(await deliver(service)), [MAIL])
  t.strictSame(await eventsOf(service), [OFFICE, CAFE, HOME, OFFICE])
})

t.test('and so does the end of all other sessions, however often', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  for (let round = 0; round < 3; round += 1)
    for (const remoteAddress of [OFFICE, HOME]) {
      const { access_token } = await signInFrom(service, ada, remoteAddress)
      const ended = await service.post('/sessions', undefined, access_token, {
        method: 'DELETE',
        remoteAddress,
      })
      t.equal(ended.status, 204)
    }
  t.strictSame(notices(await deliver(service)), [MAIL])
})

t.test('an address that is not proven gets no mail, and a service without mail sends none', async (t) => {
  for (const mail of [true, false]) {
    const service = await startService(t, mail ? { mail } : {})
    const ada = await enrol(service)
    if (mail) await setEmail(service, ada.accessToken, 'ada@example.com')
    await signInFrom(service, ada, OFFICE)
    t.strictSame(await eventsOf(service), [OFFICE])
    t.strictSame(await service.db.selectFrom('outbox').selectAll().execute(), [])
  }
})

t.test('a password alone is a full sign-in where no second factor is asked for', async (t) => {
  const service = await startService(t, { mail: true, environment: { MFA_POLICY: 'optional' } })
  const person = new Person(service, { username: 'ada' })
  await expecting(201, person.register())
  await giveAddress(service, person.accessToken, 'ada@example.com')
  const body = { username: 'ada', password: PASSWORD }
  for (const remoteAddress of [HOME, OFFICE]) await service.post('/login', body, undefined, { remoteAddress })
  t.strictSame(notices(await deliver(service)), [MAIL])
})

t.test('a right password with a wrong code is none', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolWithAddress(service)
  const from = { remoteAddress: OFFICE }
  const { body } = await service.post('/login', { username: 'ada', password: PASSWORD }, undefined, from)
  await service.post('/2fa/verify', { code: '000000' }, body.mfa_token, from)
  t.strictSame(await eventsOf(service), [])
})

t.test('two sign-ins at once from two new networks bring one mail', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  const tokens = [await login(service), await login(service)]
  const answers = await Promise.all(
    [OFFICE, CAFE].map((remoteAddress, index) => {
      const answer = { method: 'recovery_code', code: ada.recoveryCodes[index] }
      return service.post('/2fa/verify', answer, tokens[index], { remoteAddress })
    }),
  )
  t.strictSame(answers.map(outcomeOf), ['200', '200'])
  t.equal(notices(await deliver(service)).filter((mail) => mail === MAIL).length, 1)
})

t.test('a known network costs a sign-in no more than it did, a new one three statements', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  const statementsFrom = async (remoteAddress: string) => {
    const mfaToken = await login(service)
    const code = { code: nextCode(service, ada) }
    let statements = 0
    const note = (text: string) => {
      if (!/^(begin|commit)/.test(text)) statements += 1
    }
    const send = () => service.post('/2fa/verify', code, mfaToken, { remoteAddress })
    await watchingStatements(service.databaseUrl, note, send)
    return statements
  }
  t.equal(await statementsFrom(HOME), 12)
  t.equal(await statementsFrom(OFFICE), 15, 'the network, the mail, and when it was told')
  t.equal(await statementsFrom(CAFE), 13, 'no mail twice a day')
  t.equal(await statementsFrom(OFFICE), 12)
})

t.test('an account of before the upgrade learns its first network without a mail', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  await service.db.updateTable('accounts').set({ new_network_at: null }).execute()
  await service.db.deleteFrom('own_networks').execute()
  await signIn(service, ada)
  t.strictSame(notices(await deliver(service)), [])
  await signInFrom(service, ada, OFFICE)
  t.strictSame(notices(await deliver(service)), [MAIL])
})
