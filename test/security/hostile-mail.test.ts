// The attack: an address or a name that ends its header and begins another one, or that one parser reads as two
// recipients, or that is markup where it is shown. What counts is what goes over the wire: one recipient, the stored
// address, and the headers of this service and no others.
import t from 'tap'
import { HOSTILE_ADDRESSES, PLAIN_ADDRESSES } from '../helpers/people/addresses.ts'
import {
  answerByEmail,
  deliver,
  enrolWithAddress,
  enrolWithCodes,
  mailedCode,
  mailing,
  registerWithEmail,
  setEmail,
} from '../helpers/people/mail.ts'
import { type ReceivedMail, startMailServer } from '../helpers/programs/smtp.ts'
import { enrol, login, PASSWORD, startService } from '../helpers/service/service.ts'

const HEADERS = [
  'auto-submitted',
  'content-type',
  'date',
  'from',
  'message-id',
  'mime-version',
  'subject',
  'to',
]

const headerNames = ({ message }: ReceivedMail) => message.headers.map(({ key }) => key).sort()

t.test('a mail goes to the stored address, letter by letter, and to nobody else', async (t) => {
  const service = await startService(t, { mail: true })
  // The server of the tests takes 253 characters.
  const addresses = PLAIN_ADDRESSES.filter((address) => address.length < 254)
  for (const [index, email] of addresses.entries()) {
    const { mfaToken } = await registerWithEmail(service, `person-${index}`, email)
    await mailedCode(service, mfaToken)
    const mail = service.smtp.mails.at(-1) as ReceivedMail
    const [local, domain = ''] = email.split('@')
    t.strictSame(mail.to, [`${local}@${domain.toLowerCase()}`])
    t.strictSame(headerNames(mail), HEADERS, email)
  }
  t.equal(service.smtp.mails.length, addresses.length)
})

t.test('a hostile address is refused at both doors, and nothing is mailed', async (t) => {
  const service = await startService(t, { mail: true })
  const { accessToken } = await enrol(service)
  const nested = `${'('.repeat(12_000)}a@x.example`
  for (const email of [...HOSTILE_ADDRESSES, nested, 'a.'.repeat(6_000), `a@${'b-'.repeat(6_000)}`]) {
    const registered = await service.post('/register', { username: 'mallory', password: PASSWORD, email })
    const set = await setEmail(service, accessToken, email)
    t.strictSame([registered.status, set.status], [400, 400], JSON.stringify(email.slice(0, 60)))
  }
  t.strictSame(service.smtp.mails, [])
})

t.test('a username is shown as it is, and reaches no header', async (t) => {
  const service = await startService(t, { mail: true })
  for (const username of ['bcc-e@evil.example', '7.7-7+7', 'x'.repeat(64)]) {
    const { mfaToken } = await registerWithEmail(service, username, 'ada@example.com')
    await answerByEmail(service, await mailedCode(service, mfaToken), mfaToken)
    // The address is proven now.
    await mailedCode(service, await login(service, username))
    const mail = service.smtp.mails.at(-1) as ReceivedMail
    t.match(mail.text, `Hello ${username},`)
    t.notOk(mail.raw.slice(0, mail.raw.indexOf('\r\n\r\n')).includes(username))
    t.strictSame(mail.to, ['ada@example.com'])
  }
  for (const username of ['{{7*7}}', '<b>ada</b>', 'ada\r\nBcc: e@evil.example', '%s%d', "ada'--"]) {
    const body = { username, password: PASSWORD, email: 'ada@example.com' }
    t.equal((await service.post('/register', body)).status, 400, username)
  }
})

const NAMES = [
  `<script>alert("1")</script> & 'more'`,
  'Bücher & Söhne',
  '東京 🔑',
  `{{7*7}} \${7*7} <%= 7*7 %>`,
  'Bcc: e@evil.example',
  '=?utf-8?q?Bcc=3A?=',
  'a, b; c <e@evil.example>',
  'x'.repeat(64),
]

t.test('the name of the service comes out right in every header and part, whatever it is', async (t) => {
  const smtp = await startMailServer(t)
  for (const name of NAMES) {
    const service = await startService(t, {
      environment: { ...mailing(smtp), EMAIL_CODES: 'on', APP_NAME: name },
    })
    const { mfaToken } = await registerWithEmail(service)
    t.equal((await service.post('/2fa/email', undefined, mfaToken)).status, 202, name)
    const mail = smtp.mails.at(-1) as ReceivedMail
    t.equal(mail.message.subject, `${name}: your sign-in code`)
    t.strictSame(mail.to, ['ada@example.com'])
    t.strictSame(headerNames(mail), HEADERS)
    t.ok(mail.text.includes(name))
    t.notMatch(mail.html, /<script|<e@|<%=/)
    t.ok(unescaped(mail.html).includes(name), 'also in the HTML part')
    await service.close()
  }
})

function unescaped(html: string): string {
  return html
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}

t.test(
  'what a request says of its host, its client or its way is in no mail, but for the address it came from',
  async (t) => {
    const service = await startService(t, { mail: true })
    await enrolWithCodes(service)
    const headers = {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-for': '203.0.113.66',
      forwarded: 'host=evil.example;for=203.0.113.66',
      origin: 'https://evil.example',
      referer: 'https://evil.example/',
      'user-agent': 'evil.example <b>agent</b>',
    }
    await service.post('/password/forgot', { username: 'ada' }, undefined, { headers })
    const login = await service.post('/login', { username: 'ada', password: PASSWORD }, undefined, {
      headers,
    })
    await service.post('/2fa/email', undefined, login.body.mfa_token, { headers })
    for (let guess = 0; guess < 3; guess += 1)
      await service.post('/2fa/verify', { code: 'wrong' }, login.body.mfa_token, { headers })
    await deliver(service)
    const [, ...mails] = service.smtp.mails.slice(-4)
    t.equal(mails.length, 3)
    for (const mail of mails) t.notMatch(mail.raw, /evil\.example|203\.0\.113\.66|<b>agent/)
  },
)

t.test('an address of a client that is not one is text like any other', async (t) => {
  const service = await startService(t, { mail: true, environment: { TRUST_PROXY: '127.0.0.1' } })
  const ada = await enrolWithAddress(service)
  const headers = { 'x-forwarded-for': '<img src=https://evil.example/x>' }
  const answer = { code: ada.recoveryCodes[0], method: 'recovery_code' }
  const login = await service.post('/login', { username: 'ada', password: PASSWORD })
  await service.post('/2fa/verify', answer, login.body.mfa_token, { headers })
  const [mail] = await deliver(service)
  t.notMatch(mail?.html, '<img')
})
