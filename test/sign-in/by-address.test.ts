import t from 'tap'
import {
  codeIn,
  enrolWithAddress,
  giveAddress,
  type MailingService,
  proveEmail,
  setEmail,
} from '../helpers/people/mail.ts'
import { disableAccount } from '../helpers/people/sessions.ts'
import { outcomeOf, tally, withoutRequestId } from '../helpers/requests/burst.ts'
import {
  type Answer,
  enrol,
  PASSWORD,
  register,
  type Service,
  startService,
} from '../helpers/service/service.ts'
import { watchingStatements } from '../helpers/service/statements.ts'

/** A proven address signs in as its account's username does, and is counted as that. */

const WRONG = 'not the password'
const FAR = '203.0.113.7'

const logIn = (
  service: Service,
  username: string,
  password = PASSWORD,
  { from, recoveryCode }: { from?: string; recoveryCode?: string } = {},
): Promise<Answer> =>
  service.post(
    '/login',
    { username, password, ...(recoveryCode && { recovery_code: recoveryCode }) },
    undefined,
    from ? { remoteAddress: from } : undefined,
  )

/** Two accounts that have proven one address. */
async function share(service: MailingService, address: string): Promise<void> {
  for (const username of ['grace', 'edsger']) {
    const { accessToken } = await enrol(service, username)
    await giveAddress(service, accessToken, address)
  }
}

const refusals = ({ db }: Service) =>
  db
    .selectFrom('audit_events')
    .select(['event', 'account_id'])
    .where('event', 'in', ['password_refused', 'attempts_paused'])
    .execute()

t.test('a proven address signs in, in any case and with blanks around it', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  for (const address of ['ada@example.com', ' ADA@Example.COM ']) {
    const answer = await logIn(service, address)
    t.match(answer.body, { mfa_required: true, enrolled: true }, address)
  }
  const signedIn = await logIn(service, ada.email, PASSWORD, { recoveryCode: ada.recoveryCodes[0] ?? '' })
  t.equal(signedIn.status, 200)
  t.equal((await service.get('/me', signedIn.body.access_token)).body.username, 'ada')
})

t.test('a domain of another script is found by either spelling', async (t) => {
  const service = await startService(t, { mail: true })
  const { accessToken } = await enrol(service)
  await giveAddress(service, accessToken, 'ada@bücher.example')
  for (const address of ['ada@bücher.example', 'ada@xn--bcher-kva.example'])
    t.equal((await logIn(service, address)).status, 200, address)
})

t.test('an address that is not proven, was left or belongs to a disabled account does not', async (t) => {
  const service = await startService(t, { mail: true })
  await service.post('/register', { username: 'fresh', password: PASSWORD, email: 'fresh@example.com' })
  const ada = await enrolWithAddress(service)
  service.clock.advance(60)
  await setEmail(service, ada.accessToken, 'new@example.com')
  t.equal((await logIn(service, 'ada@example.com')).status, 200, 'it is not left yet')
  await proveEmail(service, ada.accessToken, codeIn(service.smtp.mails.at(-1)))
  const disabled = await enrolWithAddress(service, 'disabled')
  await disableAccount(service, disabled.id)
  for (const address of ['fresh@example.com', 'ada@example.com', disabled.email])
    t.equal(outcomeOf(await logIn(service, address)), '401 invalid_credentials', address)
  t.equal((await logIn(service, 'new@example.com')).status, 200)
})

t.test('an address that two accounts have proven signs in to neither', async (t) => {
  const service = await startService(t, { mail: true })
  await share(service, 'shared@example.com')
  const shared = await logIn(service, 'shared@example.com')
  t.equal(outcomeOf(shared), '401 invalid_credentials')
  const unknown = await logIn(service, 'nobody@example.com')
  t.strictSame(withoutRequestId(shared), withoutRequestId(unknown))
  const nobodys = { event: 'password_refused', account_id: null }
  t.strictSame(await refusals(service), [nobodys, nobodys])
  t.equal((await logIn(service, 'grace')).status, 200)
})

t.test('a disabled account does not make the address of another one ambiguous', async (t) => {
  const service = await startService(t, { mail: true })
  await share(service, 'shared@example.com')
  const { id } = (await service.db.selectFrom('accounts').select('id').execute())[0] ?? { id: '' }
  await disableAccount(service, id)
  t.equal((await logIn(service, 'shared@example.com')).status, 200)
})

t.test('a username that looks like the address of another account wins', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  await service.post('/register', { username: 'Ada@Example.com', password: 'password of the thief' })
  t.equal(outcomeOf(await logIn(service, ada.email)), '401 invalid_credentials')
  const thief = await logIn(service, ada.email, 'password of the thief')
  t.match(thief.body, { mfa_required: true, enrolled: false }, 'that is the other account')
  t.equal((await logIn(service, 'ada')).status, 200, 'her own name still works')
})

t.test('guesses by address and by name have one budget', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  const answers: Answer[] = []
  for (let guess = 0; guess < 10; guess += 1)
    answers.push(await logIn(service, guess % 2 ? 'ada' : 'ADA@example.com', WRONG, { from: FAR }))
  t.strictSame(tally(answers), { '401 invalid_credentials': 10 })
  for (const name of ['ada', ada.email])
    t.equal(outcomeOf(await logIn(service, name, PASSWORD, { from: FAR })), '429 too_many_attempts', name)
  t.equal((await logIn(service, ada.email)).status, 200, 'her own network has its own')
  const events = await refusals(service)
  t.equal(events.length, 11)
  t.ok(
    events.every(({ account_id }) => account_id === ada.id),
    'they are events of her account',
  )
})

t.test('guesses by address from many networks pause the name for strangers', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  for (let guess = 0; guess < 100; guess += 1)
    await logIn(service, guess % 2 ? 'ada' : ada.email, WRONG, { from: `10.0.${guess}.1` })
  t.equal(outcomeOf(await logIn(service, 'ada', PASSWORD, { from: FAR })), '429 too_many_attempts')
  t.equal((await logIn(service, ada.email)).status, 200)
})

t.test('ten wrong passwords with a right recovery code void it by address too', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  const recoveryCode = ada.recoveryCodes[0] ?? ''
  for (let guess = 0; guess < 10; guess += 1)
    await logIn(service, guess % 2 ? 'ada' : ada.email, WRONG, { recoveryCode })
  t.equal(outcomeOf(await logIn(service, ada.email, PASSWORD, { recoveryCode })), '422 invalid_code')
})

t.test('what is no address is looked for as a username alone', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolWithAddress(service)
  for (const text of ['ada@example.com\0', 'ada@', '@example.com', '"ada"@example.com', 'ada@example.com,x'])
    t.equal(outcomeOf(await logIn(service, text)), '401 invalid_credentials', JSON.stringify(text))
})

/** Statements of a refused login, without those that begin and commit. */
const STATEMENTS = [
  ['a password alone', {}, { name: 6, address: 7 }],
  [
    'a password and a recovery code',
    { recovery_code: 'AAAA-AAAA-AAAA-AAAA-AAAA-AAAA' },
    { name: 8, address: 10 },
  ],
] as const

for (const [what, more, expected] of STATEMENTS)
  t.test(`${what}: every address asks the database the same, and what is none asks no more`, async (t) => {
    const service = await startService(t, { mail: true })
    await enrolWithAddress(service)
    await register(service, 'name@example.com')
    await share(service, 'shared@example.com')
    const disabled = await enrolWithAddress(service, 'disabled')
    await disableAccount(service, disabled.id)
    const statementsOf = async (username: string) => {
      const texts: string[] = []
      const send = () =>
        service.post('/login', { username, password: WRONG, ...more }, undefined, { remoteAddress: FAR })
      const answer = await watchingStatements(service.databaseUrl, (text) => texts.push(text), send)
      t.equal(outcomeOf(answer), '401 invalid_credentials', username)
      return texts
    }
    const countOf = (texts: string[]) => texts.filter((text) => !/^(begin|commit)/.test(text)).length
    const reference = await statementsOf('nobody@example.com')
    t.equal(countOf(reference), expected.address)
    for (const address of ['ada@example.com', 'name@example.com', 'shared@example.com', disabled.email])
      t.strictSame(await statementsOf(address), reference, address)
    for (const name of ['ada', 'nobody', 'two@signs@example.com', 'ada@'])
      t.equal(countOf(await statementsOf(name)), expected.name, name)
  })
