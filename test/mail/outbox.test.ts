import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { reseal } from '../../src/cli/table-rows.ts'
import { makeKeyRing } from '../../src/crypto/key-ring.ts'
import { makeSecretBox } from '../../src/crypto/secret-box.ts'
import { inTransaction } from '../../src/platform/database.ts'
import {
  codeIn,
  deliver,
  enrolWithAddress,
  type MailingService,
  mailing,
  notices,
} from '../helpers/people/mail.ts'
import { accountTokenFor } from '../helpers/people/sessions.ts'
import { sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { startMailServer } from '../helpers/programs/smtp.ts'
import { burst, tally } from '../helpers/requests/burst.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { storedBytes } from '../helpers/service/database.ts'
import { PASSWORD, type Service, startService, testClock } from '../helpers/service/service.ts'

/** A mail that waits is kept with the change it tells of, sent once by one process, and given up in the end. */

const MINUTE = 60

async function put({ db, deps }: Service, address: string, subject = 'hello'): Promise<void> {
  const letter = { subject, paragraphs: ['Something happened.'] }
  await inTransaction(db, (trx) =>
    deps.outbox.put(trx, { kind: 'letter', to: { name: '', address }, letter }),
  )
}

const waiting = ({ db }: Service) => db.selectFrom('outbox').selectAll().execute()

t.test('a mail is kept with the change it tells of, or not at all', async (t) => {
  const service = await startService(t, { mail: true })
  const letter = { subject: 'hello', paragraphs: [] }
  const failing = inTransaction(service.db, async (trx) => {
    await service.deps.outbox.put(trx, {
      kind: 'letter',
      to: { name: '', address: 'ada@example.com' },
      letter,
    })
    throw new Error('the change failed')
  })
  await t.rejects(failing)
  t.strictSame(await waiting(service), [])
})

t.test(
  'a mail that cannot go out is tried again after growing waits, then given up with a line in the log',
  async (t) => {
    const service = await startService(t, { mail: true })
    service.smtp.behave({ refuse: ['connect', 421] })
    await put(service, 'ada@example.com', 'a subject nobody else should read')
    for (const [tries, minutes] of [1, 5, 15, 60, 240, 720].entries()) {
      t.equal(await service.deps.outbox.deliverDue(), 0)
      t.match(await waiting(service), [{ attempts: tries + 1 }])
      service.clock.advance(minutes * MINUTE - 1)
      await service.deps.outbox.deliverDue()
      t.match(await waiting(service), [{ attempts: tries + 1 }], `not before ${minutes} minutes`)
      service.clock.advance(1)
    }
    await service.deps.outbox.deliverDue()
    t.strictSame(await waiting(service), [])

    const lines = service.logLines.map((line) => JSON.parse(line))
    t.equal(lines.filter(({ level, msg }) => level === 'warn' && msg === 'mail postponed').length, 6)
    const givenUp = lines.filter(({ level }) => level === 'error')
    t.match(givenUp, [{ msg: 'mail given up', attempts: 7, err: { message: /421/ } }])
    t.notMatch(service.logLines.join('\n'), /nobody else should read|ada@example\.com/)
  },
)

t.test('a mail that is refused for good is not tried again', async (t) => {
  const service = await startService(t, { mail: true })
  service.smtp.behave({ refuse: ['rcpt', 550] })
  await put(service, 'ada@example.com')
  t.equal(await service.deps.outbox.deliverDue(), 0)
  t.strictSame(await waiting(service), [])
  t.match(
    service.logLines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error'),
    [{ msg: 'mail given up', attempts: 1, err: { message: /550/ } }],
  )
})

t.test('a mail goes out at the next try when the server is back', async (t) => {
  const service = await startService(t, { mail: true })
  service.smtp.behave({ refuse: ['data', 451] })
  await put(service, 'ada@example.com')
  await deliver(service)
  service.smtp.behave({})
  service.clock.advance(MINUTE)
  t.strictSame(notices(await deliver(service)), ['hello → ada@example.com'])
  service.clock.advance(24 * 60 * MINUTE)
  t.strictSame(await deliver(service), [], 'and once')
})

t.test('one mail that is refused does not hold up the others', async (t) => {
  const service = await startService(t, { mail: true })
  await service.db.insertInto('outbox').values(damaged(service)).execute()
  await put(service, 'ada@example.com')
  t.strictSame(notices(await deliver(service)), ['hello → ada@example.com'])
  t.match(await waiting(service), [{ id: 'damaged', attempts: 1 }])
})

const damaged = ({ clock }: Service) => ({
  id: 'damaged',
  sealed_message: 'nothing that opens',
  created_at: clock.now() - 1,
  attempts: 0,
  next_attempt_at: clock.now() - 1,
  claimed_until: 0,
})

t.test('whatever waits goes out in one go', async (t) => {
  const service = await startService(t, { mail: true })
  for (let mail = 0; mail < 22; mail += 1) await put(service, `ada${mail}@example.com`)
  t.equal(await service.deps.outbox.deliverDue(), 22)
  t.equal(new Set(service.smtp.mails.map(({ to }) => String(to))).size, 22)
})

t.test('a process that ends stops between two mails', async (t) => {
  const service = await startService(t, { mail: true })
  for (let mail = 0; mail < 10; mail += 1) await put(service, `ada${mail}@example.com`)
  const ending = new AbortController()
  service.smtp.waitFor(2).then(() => ending.abort())
  const sent = await service.deps.outbox.deliverDue(ending.signal)
  t.ok(sent >= 2 && sent < 10, `${sent} before the end`)
  t.equal((await waiting(service)).length, 10 - sent)
  t.match(await waiting(service), [{ attempts: 0, claimed_until: 0 }], 'the others are free')
})

t.test('two that deliver at once send each mail once', async (t) => {
  const first = await startService(t, { mail: true })
  const { databaseUrl, clock } = first
  const second = await startService(t, { databaseUrl, clock, environment: mailing(first.smtp) })
  for (let mail = 0; mail < 12; mail += 1) await put(first, `ada${mail}@example.com`)
  const sent = await Promise.all([first.deps.outbox.deliverDue(), second.deps.outbox.deliverDue()])
  t.equal(sent[0] + sent[1], 12)
  t.ok(sent[0] > 0 && sent[1] > 0, `${sent} mails each`)
  t.equal(new Set(first.smtp.mails.map(({ to }) => String(to))).size, 12)
  t.equal(first.smtp.mails.length, 12)
})

t.test('a mail in hand is not taken by a process whose clock is behind', async (t) => {
  const first = await startService(t, { mail: true })
  const { databaseUrl } = first
  const clock = testClock()
  const second = await startService(t, { databaseUrl, clock, environment: mailing(first.smtp) })
  await put(first, 'ada@example.com')
  first.clock.advance(MINUTE)
  const held = Promise.withResolvers<void>()
  first.smtp.behave({ after: held.promise })
  const sending = first.deps.outbox.deliverDue()
  await eventually('it is in hand', async () => (await waiting(first))[0]?.attempts === 1)
  for (const seconds of [0, 30, 30, 59]) {
    clock.advance(seconds)
    t.equal(await second.deps.outbox.deliverDue(), 0)
  }
  held.resolve()
  t.equal(await sending, 1)
  t.equal(first.smtp.mails.length, 1)
})

t.test('a mail that is put off is not tried by a process whose clock is behind', async (t) => {
  const service = await startService(t, { mail: true })
  await put(service, 'ada@example.com')
  await service.db.updateTable('outbox').set({ attempts: 5 }).execute()
  service.smtp.behave({ refuse: ['connect', 421] })
  await deliver(service)
  service.clock.advance(-MINUTE)
  await deliver(service)
  t.match(await waiting(service), [{ attempts: 6 }])
})

t.test('a mail that a clock of the next year has in hand goes out this year', async (t) => {
  const service = await startService(t, { mail: true })
  await put(service, 'ada@example.com')
  const nextYear = service.clock.now() + 365 * 24 * 60 * MINUTE * 1000
  await service.db.updateTable('outbox').set({ claimed_until: nextYear }).execute()
  t.strictSame(notices(await deliver(service)), ['hello → ada@example.com'])
})

/** What processes and this test must share to open each other's mail. */
async function shared(t: Test) {
  const environment = await sharedEnvironment(t)
  const databaseUrl = environment.DATABASE_URL ?? ''
  const rootKeys = [Buffer.from(environment.SECRET_KEY ?? '', 'base64')]
  return { environment, inProcess: { databaseUrl, rootKeys } }
}

t.test('of thirty mails, each is sent once by one of two processes', async (t) => {
  const smtp = await startMailServer(t)
  const { environment, inProcess } = await shared(t)
  const clock = { ...testClock(), now: () => Date.now() }
  const service = await startService(t, { ...inProcess, clock, environment: mailing(smtp) })
  for (let mail = 0; mail < 30; mail += 1) await put(service, `ada${mail}@example.com`)
  await service.close()
  const mailEnvironment = { ...environment, ...mailing(smtp) }
  const processes = await Promise.all([startProcess(t, mailEnvironment), startProcess(t, mailEnvironment)])
  await smtp.waitFor(30)
  // A process that stops waits for the mails that it sends.
  for (const process of processes) t.equal(await process.stop(), 0)
  t.equal(smtp.mails.length, 30)
  t.equal(new Set(smtp.mails.map(({ message }) => message.messageId)).size, 30)
})

t.test('a mail outlives a process that dies while it sends it', async (t) => {
  const smtp = await startMailServer(t)
  const { environment, inProcess } = await shared(t)
  const process = await startProcess(t, { ...environment, ...mailing(smtp), EMAIL_CODES: 'on' })
  const account = { username: 'ada', password: PASSWORD, email: 'ada@example.com' }
  const { mfa_token: mfaToken } = (await process.post('/register', account)).body
  await process.post('/2fa/email', undefined, mfaToken)
  smtp.behave({ hang: 'data' })
  const body = { code: codeIn(smtp.mails[0]), method: 'email' }
  t.equal((await process.post('/2fa/verify', body, mfaToken)).status, 200)
  await eventually('it sends', () => smtp.connections() > 0)
  await process.stop('SIGKILL')
  smtp.behave({})

  const clock = testClock(Date.now())
  const service = { ...(await startService(t, { ...inProcess, clock, environment: mailing(smtp) })), smtp }
  clock.advance(MINUTE)
  t.strictSame(await deliver(service), [], 'nobody else sends it for two minutes')
  clock.advance(MINUTE)
  t.strictSame(notices(await deliver(service)), ['a second factor was set up → ada@example.com'])
  t.strictSame(await waiting(service), [])
})

t.test('what waits is sealed: the file tells neither names nor addresses nor what is said', async (t) => {
  const service = await startService(t, { mail: true })
  await put(service, 'somebody@elsewhere.example', 'a telling subject')
  await service.post('/password/forgot', { username: 'wilhelmina' })
  t.equal((await waiting(service)).length, 2)
  const bytes = (await storedBytes(service)).toString('latin1')
  t.match(bytes, /sealed_message/, 'this is where it would be')
  t.notMatch(bytes, /elsewhere\.example|telling subject|wilhelmina/)
})

t.test('a sealed mail opens in its own row alone', async (t) => {
  const service = await startService(t, { mail: true })
  await put(service, 'ada@example.com')
  await put(service, 'grace@example.com')
  const [ada, grace] = await waiting(service)
  await service.db
    .updateTable('outbox')
    .set({ sealed_message: ada?.sealed_message ?? '' })
    .where('id', '=', grace?.id ?? '')
    .execute()
  t.strictSame(notices(await deliver(service)), ['hello → ada@example.com'])
  t.equal((await waiting(service)).length, 1)
})

t.test('what waits outlives a change of SECRET_KEY', async (t) => {
  const [old, fresh] = [randomBytes(32), randomBytes(32)]
  const before = await startService(t, { mail: true, rootKeys: [old] })
  await put(before, 'ada@example.com')
  await before.close()
  const { databaseUrl, clock } = before
  const during = await startService(t, { mail: true, databaseUrl, clock, rootKeys: [fresh, old] })
  t.match(await reseal(during.db, makeSecretBox(makeKeyRing([fresh, old]))), { mails: 1 })
  await during.close()
  const after = await startService(t, { mail: true, databaseUrl, clock, rootKeys: [fresh] })
  t.strictSame(notices(await deliver(after)), ['hello → ada@example.com'])
})

t.test('a service without a mail server keeps no mail for nobody', async (t) => {
  const service = await startService(t)
  t.equal((await service.post('/password/forgot', { username: 'ada' })).status, 409)
  t.strictSame(await waiting(service), [])
})

t.test('a change is told of once, however often its request is repeated', async (t) => {
  const service: MailingService = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  const body = { current_password: PASSWORD, new_password: 'staple in a haystack' }
  service.clock.advance(10)
  const token = await accountTokenFor(service, ada.accessToken)
  const answers = await burst(3, () => service.post('/password/change', body, token))
  t.equal(tally(answers)['200'], 1)
  t.strictSame(notices(await deliver(service)), ['your password was changed → ada@example.com'])
})
