import { writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config.ts'
import { makeRenderLetter } from '../../src/mail/letter.ts'
import { addressCode, signInCode } from '../../src/mail/templates/codes.ts'
import { notice } from '../../src/mail/templates/notices.ts'
import { builtInMails } from '../../src/texts/mails.ts'
import { inFile } from '../../src/texts/own-mails.ts'
import { setEmail } from '../helpers/people/mail.ts'
import { faultsOf } from '../helpers/service/config-faults.ts'
import { enrol, startService } from '../helpers/service/service.ts'

/** An operator words mails, and a mistake in one keeps the service from starting. */

const ABOUT = { username: 'ada', at: Date.parse('2026-11-21T09:30:00Z'), ip: '203.0.113.7' }
const GOOD =
  'Subject: Dein Code für {service}\n\nHallo {username}!\n\n{code}\n\nGilt {minutes} Minuten.\nDein Team\n'

/** The mails of a folder with these files. */
const ownMails = (t: Test, files: Record<string, string>) =>
  readConfig({ MAIL_TEMPLATES: t.testdir(files) }).ownMails

t.test('a mail of the operator goes out in the place of the built-in one', async (t) => {
  const MAIL_TEMPLATES = t.testdir({
    'address_code.txt': 'Subject: {service} braucht dich\r\n\r\nDein Code:\r\n{ code }\r\n',
    '.gitkeep': '',
  })
  const service = await startService(t, { mail: true, environment: { MAIL_TEMPLATES, APP_NAME: 'Büro' } })
  const { accessToken } = await enrol(service)
  await setEmail(service, accessToken, 'ada@example.com')
  const mail = service.smtp.mails.at(-1)
  t.equal(mail?.message.subject, 'Büro braucht dich')
  t.match(mail?.text, /^Dein Code:\n\d{6}\s*$/)
})

t.test('without HTML of its own it has that of the service, in no language that is known', async (t) => {
  const render = makeRenderLetter({
    serviceName: 'A & B',
    ownMails: ownMails(t, { 'sign_in_code.txt': GOOD }),
  })
  const { subject, text, html } = render(signInCode({ ...ABOUT, code: '042913', minutes: 10 }))
  t.equal(subject, 'Dein Code für A & B')
  t.equal(text, 'Hallo ada!\n\n042913\n\nGilt 10 Minuten.\nDein Team\n')
  t.match(html, '<p>Hallo ada!</p>\n<p class="code">042913</p>\n<p>Gilt 10 Minuten.<br>Dein Team</p>')
  t.match(html, '<html><head>')
  t.match(
    render(notice('password_changed', ABOUT)).subject,
    'A & B: your password was changed',
    'others stay',
  )
})

t.test('a link is a link in it', async (t) => {
  const files = { 'address_link.txt': 'Subject: x\n\n{link}\n\nOr {link}\n' }
  const render = makeRenderLetter({ serviceName: 'x', ownMails: ownMails(t, files) })
  const { text, html } = render(addressCode({ ...ABOUT, code: '042913', link: 'my:/?a&b', minutes: 10 }))
  t.equal(text, 'my:/?a&b\n\nOr my:/?a&b\n')
  t.match(html, '<p><a class="button" href="my:/?a&amp;b">my:/?a&amp;b</a></p>\n<p>Or my:/?a&amp;b</p>')
})

t.test('its own HTML has values as text, and its style sheet as it is', async (t) => {
  const html = '<style>p{margin:0} b { color: red }</style><p title="{username}">{code}</p>'
  const files = { 'sign_in_code.txt': GOOD, 'sign_in_code.html': html }
  const render = makeRenderLetter({ serviceName: 'x', ownMails: ownMails(t, files) })
  const attack = `"><img src=x onerror='y'>{code}`
  const rendered = render(signInCode({ ...ABOUT, username: attack, code: '042913', minutes: 10 }))
  t.equal(
    rendered.html,
    '<style>p{margin:0} b { color: red }</style><p title="&quot;&gt;&lt;img src=x onerror=&#39;y&#39;&gt;{code}">042913</p>',
  )
  t.match(rendered.text, `Hallo ${attack}!`, 'and in text no braces of a value are read')
})

t.test('a mistake is a fault of the settings that names the file', async (t) => {
  const cases: [files: Record<string, string>, fault: RegExp][] = [
    [{ 'sign_in_kode.txt': GOOD }, /sign_in_kode\.txt is no mail: keyturn mails/],
    [{ 'constructor.txt': GOOD }, /constructor\.txt is no mail/],
    [{ 'sign_in_code.md': GOOD }, /sign_in_code\.md is no mail/],
    [{ 'sign_in_code.html': '{code}' }, /sign_in_code\.html goes with a file sign_in_code\.txt/],
    [{ 'sign_in_code.txt': '\nHallo {code}' }, /must begin with a line like "Subject: Your code"$/],
    [{ 'sign_in_code.txt': 'Subject: \n\n{code}' }, /must begin with a line like/],
    [{ 'account_deleted.txt': 'Subject: Bye\n\n ' }, /has no text$/],
    [{ 'sign_in_code.txt': 'Subject: x\n\nHallo' }, /must have \{code\}$/],
    [
      { 'sign_in_code.txt': 'Subject: Hi {username}\n\n{code}' },
      /may have \{service\} in its subject, and no other/,
    ],
    [{ 'sign_in_code.txt': 'Subject: a\rBcc: b@c.example\n\n{code}' }, /control character in its subject/],
    [
      { 'sign_in_code.txt': 'Subject: x\n\n{code} {user name} {days}' },
      /has \{user name\} and \{days\}, but what it may have is \{username\} \{minutes\} \{code\} \{when\} \{from\} \{service\}$/,
    ],
    [{ 'address_code.txt': 'Subject: x\n\n{username}, {code}' }, /has \{username\}, but what it may have/],
    [{ 'address_link.txt': 'Subject: x\n\n{code}' }, /address_link\.txt must have \{link\}$/],
    [{ 'sign_in_code.txt': GOOD, 'sign_in_code.html': '<p>{username}</p>' }, /\.html must have \{code\}$/],
    [{ 'sign_in_code.txt': GOOD, 'sign_in_code.html': '{code}{ip}' }, /\.html has \{ip\}, but/],
  ]
  for (const [files, fault] of cases) {
    const found = faultsOf({ MAIL_TEMPLATES: t.testdir(files) })
    t.match(found, [fault], String(fault))
    t.equal(found.length, 1)
    t.match(found[0], /^MAIL_TEMPLATES: \//)
  }
  const MAIL_TEMPLATES = t.testdir({
    'a.txt': '',
    'b.txt': '',
    'sign_in_code.txt': 'x',
    'address_code.txt': {},
  })
  t.match(faultsOf({ MAIL_TEMPLATES }), { length: 5 }, 'all at once')
})

t.test('what cannot be read is a fault too', async (t) => {
  const MAIL_TEMPLATES = t.testdir({ 'sign_in_code.txt': '' })
  writeFileSync(`${MAIL_TEMPLATES}/sign_in_code.txt`, Buffer.from('Subject: f\xfcr\n\n{code}', 'latin1'))
  t.match(faultsOf({ MAIL_TEMPLATES }), [
    /sign_in_code\.txt cannot be read: ERR_ENCODING_INVALID_ENCODED_DATA$/,
  ])
  t.match(faultsOf({ MAIL_TEMPLATES: `${MAIL_TEMPLATES}/none` }), [/\/none cannot be read: ENOENT$/])
})

t.test('the built-in mails are mails that an operator may have', async (t) => {
  const files = Object.entries(builtInMails).map(([name, template]) => [`${name}.txt`, inFile(template)])
  t.match(builtInMails, ownMails(t, Object.fromEntries(files)))
  t.equal(files.length, Object.keys(ownMails(t, Object.fromEntries(files))).length)
})
