import t, { type Test } from 'tap'
import { MailError } from '../../src/platform/mail-error.ts'
import { type Mailer, makeMailer } from '../../src/platform/mailer.ts'
import { makeCertificates, openssl, trust } from '../helpers/faults/certificates.ts'
import { freePort } from '../helpers/programs/free-port.ts'
import { type Behaviour, startMailServer } from '../helpers/programs/smtp.ts'
import { eventually } from '../helpers/requests/eventually.ts'

/** The outside may refuse a mail. It may not hold it up for long, and no server but ours may have it. */

const FROM = { name: 'Keyturn', address: 'keyturn@example.com' }

/** For servers that hang, so that the test does not. */
const SHORT_MS = 400

const MAIL = {
  id: '0197c2a4-5f0e-7c3a-9d8e-2b1f6a7c8d9e',
  to: { name: '', address: 'ada@example.com' },
  subject: 'Keyturn: your sign-in code',
  text: 'text',
  html: '<p>html</p>',
}

function mailer(t: Test, url: string, timeoutMs = 300_000, issuer = 'http://127.0.0.1:3000'): Mailer {
  const made = makeMailer({ url, from: FROM, issuer, timeoutMs })
  t.teardown(() => made.close())
  return made
}

t.test(
  'a mail has one recipient, two parts, an id to tell a copy by, and a sign that nobody wrote it',
  async (t) => {
    const smtp = await startMailServer(t)
    await mailer(t, smtp.url).send(MAIL)
    const [mail] = smtp.mails
    t.equal(mail?.from, FROM.address)
    t.strictSame(mail?.to, [MAIL.to.address])
    t.strictSame(mail?.message.to, [{ name: '', address: MAIL.to.address }])
    t.match(mail?.message.from, { name: 'Keyturn', address: FROM.address })
    t.equal(mail?.message.subject, MAIL.subject)
    t.equal(mail?.message.messageId, `<${MAIL.id}@example.com>`)
    t.match(mail?.raw, /^Auto-Submitted: auto-generated\r$/m)
    t.match(mail?.raw, /^Content-Type: multipart\/alternative/m)
    t.equal(mail?.text.trim(), MAIL.text)
    t.equal(mail?.html.trim(), MAIL.html)
  },
)

t.test('it greets by a name that strict servers take', async (t) => {
  const greeted: string[] = []
  const smtp = await startMailServer(t, {
    onMailFrom: (_address, { hostNameAppearsAs }, callback) => {
      greeted.push(hostNameAppearsAs)
      callback(/^(?:[a-z-]+\.)+[a-z]+$/.test(hostNameAppearsAs) ? null : new Error('no such name'))
    },
  })
  await mailer(t, smtp.url, undefined, 'https://auth.example.org/id').send(MAIL)
  for (const issuer of ['http://localhost:3000', 'http://127.0.0.1:3000', 'https://[2001:db8::1]'])
    await mailer(t, smtp.url, undefined, issuer).send(MAIL)
  await mailer(t, `${smtp.url}?name=mail.example.net`, undefined, 'https://auth.example.org').send(MAIL)
  const own = 'example.com'
  t.strictSame(greeted, ['auth.example.org', own, own, own, 'mail.example.net'])
})

t.test('what is refused for good is told from what may go out later', async (t) => {
  const smtp = await startMailServer(t)
  const { send } = mailer(t, smtp.url)
  for (const [refuse, final] of [
    [['rcpt', 550], true],
    [['data', 554], true],
    [['rcpt', 452], false],
    [['data', 451], false],
    [['connect', 554], false],
  ] as const) {
    smtp.behave({ refuse: [...refuse] })
    await t.rejects(send(MAIL), { name: 'MailError', final }, refuse.join(' '))
  }
})

t.test('a server is asked whether it takes mail for a recipient, and gets none', async (t) => {
  const smtp = await startMailServer(t, {
    authOptional: false,
    onAuth: ({ password }, _session, callback) =>
      password === 'right' ? callback(null, { user: 'x' }) : callback(new Error('no')),
    authMethods: ['PLAIN'],
    allowInsecureAuth: true,
  })
  const ask = (password: string) =>
    mailer(t, smtp.url.replace('//', `//keyturn:${password}@`)).check('ada@example.org')
  t.equal(await ask('right'), null)
  smtp.behave({ refuse: ['rcpt', 550] })
  t.match(await ask('right'), /^550 /)
  await t.rejects(ask('wrong'), MailError)
  t.strictSame(smtp.mails, [])
  await eventually('no connection is left open', () => smtp.connections() === 0)
})

const REFUSALS: Record<string, Behaviour> = {
  'a server that is too busy': { refuse: ['connect', 421] },
  'a server that wants nobody': { refuse: ['connect', 554] },
  'a recipient that is unknown': { refuse: ['rcpt', 550] },
  'a mailbox that is full': { refuse: ['rcpt', 452] },
  'a message that is refused': { refuse: ['data', 554] },
  'a message that is put off': { refuse: ['data', 451] },
  'a connection that breaks at the greeting': { drop: 'connect' },
  'a connection that breaks at the recipient': { drop: 'rcpt' },
  'a connection that breaks before the message is accepted': { drop: 'data' },
}

t.test('what a server refuses, or breaks off, is an error', async (t) => {
  const smtp = await startMailServer(t)
  const { send } = mailer(t, smtp.url)
  for (const [name, behaviour] of Object.entries(REFUSALS)) {
    smtp.behave(behaviour)
    await t.rejects(send(MAIL), { name: 'MailError', maybeSent: false }, name)
  }
  smtp.behave({})
  await send(MAIL)
  t.equal(smtp.mails.length, 1, 'the next one goes out')
})

t.test('a server that is not there is an error', async (t) => {
  await t.rejects(mailer(t, `smtp://127.0.0.1:${await freePort()}`).send(MAIL), MailError)
  await t.rejects(mailer(t, 'smtp://no-such-host.invalid').send(MAIL), MailError)
})

t.test('a server that hangs is given up in time, and gets nothing later', async (t) => {
  const smtp = await startMailServer(t)
  const { send } = mailer(t, smtp.url, SHORT_MS)
  for (const behaviour of [{ hang: 'connect' }, { hang: 'rcpt' }, { hang: 'data' }] as const) {
    smtp.behave(behaviour)
    const startedAt = performance.now()
    await t.rejects(send(MAIL), { name: 'MailError', maybeSent: behaviour.hang === 'data' })
    const tookMs = performance.now() - startedAt
    t.ok(tookMs >= SHORT_MS - 5, `${behaviour.hang}: ${Math.round(tookMs)} ms`)
  }
  const held = Promise.withResolvers<void>()
  smtp.behave({ after: held.promise })
  await t.rejects(
    send(MAIL),
    { name: 'MailError', maybeSent: true },
    'or one that has all of it and is too slow',
  )
  await eventually('no connection is left open', () => smtp.connections() === 0)
  held.resolve()
})

t.test('a mail takes TLS, where the server is not on this machine', async (t) => {
  const smtp = await startMailServer(t)
  // This machine by a name that does not look like it.
  const url = `smtp://[::ffff:127.0.0.1]:${smtp.port}`
  await t.rejects(mailer(t, url).send(MAIL), MailError, 'a server without STARTTLS, or somebody who hides it')
  t.strictSame(smtp.mails, [])
  await mailer(t, `${url}?ignoreTLS=true`).send(MAIL)
  t.equal(smtp.mails.length, 1, 'unless the operator says otherwise')
})

t.test(
  'the certificate of the server is checked',
  { skip: !openssl && 'openssl is not installed' },
  async (t) => {
    const { good, authorityFile, ...bad } = makeCertificates(t)
    for (const scheme of ['smtp', 'smtps'])
      await t.test(scheme, async (t) => {
        const secure = scheme === 'smtps'
        const server = await startMailServer(t, { tls: good, secure })
        const url = `${scheme}://localhost:${server.port}`
        await t.rejects(mailer(t, url).send(MAIL), MailError, 'an authority that nobody trusts')
        trust(t, authorityFile)
        await mailer(t, url).send(MAIL)
        t.equal(server.mails.length, 1)
        t.ok(server.mails[0]?.secure, 'a good one is used, also where it is not asked for')

        for (const [name, tls] of Object.entries(bad)) {
          const smtp = await startMailServer(t, { tls, secure })
          await t.rejects(mailer(t, `${scheme}://localhost:${smtp.port}`).send(MAIL), MailError, name)
          t.strictSame(smtp.mails, [])
        }
      })
  },
)
