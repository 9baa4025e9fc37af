import t from 'tap'
import {
  codeIn,
  deliver,
  enrolWithAddress,
  giveAddress,
  type MailingService,
  notices,
} from '../helpers/people/mail.ts'
import { disableAccount } from '../helpers/people/sessions.ts'
import { enrol, login, PASSWORD, register, startService } from '../helpers/service/service.ts'

/** A person who forgot the username as well knows the address. */

const NEXT = 'staple in a haystack'
const SUBJECT = 'reset your password'

async function forget(service: MailingService, username: string) {
  const { status, text } = await service.post('/password/forgot', { username })
  if (status !== 202 || text !== '') throw new Error(`answered ${status} ${text}`)
  return deliver(service)
}

/** An account that has proven this address. */
async function sharing(service: MailingService, username: string, address: string): Promise<string> {
  const { id, accessToken } = await enrol(service, username)
  await giveAddress(service, accessToken, address)
  return id
}

t.test('a proven address gets a token for its account, and the username with it', async (t) => {
  const service = await startService(t, { mail: true })
  await enrolWithAddress(service)
  const [mail, ...others] = await forget(service, 'ADA@Example.com')
  t.strictSame(others, [])
  t.strictSame(mail?.to, ['ada@example.com'])
  t.match(mail?.text, /\bada\b(?!@)/, 'it names the account')
  const reset = await service.post('/password/reset', { token: codeIn(mail), new_password: NEXT })
  t.equal(reset.status, 204)
  t.ok(await login(service, 'ada', NEXT))
})

t.test('an address that is not proven, was left, or is of a disabled account gets none', async (t) => {
  const service = await startService(t, { mail: true })
  await service.post('/register', { username: 'fresh', password: PASSWORD, email: 'fresh@example.com' })
  const ada = await enrolWithAddress(service)
  service.clock.advance(60)
  await giveAddress(service, ada.accessToken, 'new@example.com')
  const disabled = await enrolWithAddress(service, 'disabled')
  await disableAccount(service, disabled.id)
  for (const address of ['fresh@example.com', ada.email, disabled.email, 'nobody@example.com'])
    t.strictSame(await forget(service, address), [], address)
})

t.test('an address that was left between the request and its mail gets none', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  await service.post('/password/forgot', { username: ada.email })
  service.clock.advance(60)
  await giveAddress(service, ada.accessToken, 'new@example.com')
  const mails = service.smtp.mails.filter(({ message }) => message.subject?.endsWith(SUBJECT))
  t.strictSame(mails, [])
})

t.test('each account that has proven the address gets a mail of its own, five at most', async (t) => {
  const service = await startService(t, { mail: true })
  for (const username of ['one', 'two', 'three', 'four', 'five', 'six']) {
    await sharing(service, username, 'shared@example.com')
    service.clock.advance(3600)
  }
  const mails = await forget(service, 'shared@example.com')
  t.strictSame(notices(mails), Array(5).fill(`${SUBJECT} → shared@example.com`))
  for (const [index, username] of ['one', 'two', 'three', 'four', 'five'].entries()) {
    const token = codeIn(mails[index])
    t.equal((await service.post('/password/reset', { token, new_password: NEXT })).status, 204)
    t.ok(await login(service, username, NEXT), username)
  }
})

t.test('a username that looks like an address gets its mail, and so does who has proven it', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  await sharing(service, 'Ada@Example.com', 'other@example.com')
  t.strictSame(notices(await forget(service, ada.email)).toSorted(), [
    `${SUBJECT} → ada@example.com`,
    `${SUBJECT} → other@example.com`,
  ])
})

t.test('a stranger who takes the address for a username keeps no mail from its owner', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  await register(service, 'ada@example.com')
  t.strictSame(notices(await forget(service, ada.email)), [`${SUBJECT} → ada@example.com`])
})

t.test('asked for by name and by address, an account has one mail a minute', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  t.equal((await forget(service, 'ada')).length, 1)
  t.strictSame(await forget(service, ada.email), [])
  service.clock.advance(60)
  t.equal((await forget(service, ada.email)).length, 1)
})

t.test('a mail that fails is tried again alone', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  await sharing(service, 'Ada@Example.com', 'other@example.com')
  service.smtp.behave({ refuse: ['rcpt', 450], recipient: ada.email })
  t.strictSame(notices(await forget(service, ada.email)), [`${SUBJECT} → other@example.com`])
  service.smtp.behave({})
  service.clock.advance(60)
  t.strictSame(notices(await deliver(service)), [`${SUBJECT} → ada@example.com`])
})
