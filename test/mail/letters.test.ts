import t from 'tap'
import { escapeHtml, type Letter, makeRenderLetter, type OldLetter } from '../../src/mail/letter.ts'
import { letterOf } from '../../src/mail/templates/circumstances.ts'
import { addressCode, enrolmentCode, passwordReset, signInCode } from '../../src/mail/templates/codes.ts'
import { type NoticeName, notice } from '../../src/mail/templates/notices.ts'
import { builtInMails } from '../../src/texts/mails.ts'
import { texts } from '../../src/texts/texts.ts'

/** Letters to addresses that may be a stranger's. */
const TO_STRANGERS = ['address_code', 'address_link', 'first_sign_in_code']

/** A mail says whose service it is from, what happened, when, from which address, and what to do about it. */

const ABOUT = { username: 'ada', at: Date.parse('2026-11-21T09:30:00Z'), ip: '203.0.113.7' }
const SERVICE = 'Bücher & <Söhne>'
const TOKEN = 'A'.repeat(43)
const LINK = `https://app.example.com/?a=1&token=${TOKEN}`
const render = makeRenderLetter({ serviceName: SERVICE, ownMails: {} })

const LETTERS: Letter[] = [
  signInCode({ ...ABOUT, code: '042913', minutes: 10 }),
  signInCode({ ...ABOUT, username: null, code: '042913', minutes: 10 }),
  // As a caller could by mistake: the name stays out.
  addressCode({ ...ABOUT, code: '042913', minutes: 10 } as Parameters<typeof addressCode>[0]),
  addressCode({ ...ABOUT, code: '042913', link: LINK, minutes: 10 } as Parameters<typeof addressCode>[0]),
  passwordReset({ ...ABOUT, token: TOKEN, minutes: 60 }),
  passwordReset({ ...ABOUT, token: TOKEN, link: LINK, minutes: 60 }),
  passwordReset({ ...ABOUT, ip: '', token: TOKEN, minutes: 60 }),
  passwordReset({ ...ABOUT, ip: '', token: TOKEN, link: LINK, minutes: 60 }),
  enrolmentCode({ ...ABOUT, code: 'ABCD-EFGH-JKMN-PQRS', days: 7 }),
  ...Object.keys(texts.notices).map((name) => notice(name as NoticeName, ABOUT)),
]

t.test('there is a letter for each mail', async (t) => {
  t.strictSame(LETTERS.map(({ mail }) => mail).sort(), Object.keys(builtInMails).sort())
})

for (const letter of LETTERS)
  t.test(letter.mail, async (t) => {
    const { subject, text, html } = render(letter)
    t.match(subject, /^Bücher & <Söhne>: [a-z ]+/)
    t.notMatch(
      subject,
      /ada|\d{6}|AAAA|[{}]/,
      'nothing of a user is in the subject, which a locked phone shows',
    )

    const said = [
      SERVICE,
      TO_STRANGERS.includes(letter.mail) ? 'Hello,' : 'Hello ada,',
      '21 November 2026 at 09:30 UTC',
      letter.mail.startsWith('password_wanted') ? 'the administrator' : 'IP address 203.0.113.7',
      String(letter.values.code ?? ''),
      String(letter.values.link ?? ''),
    ]
    for (const words of said) {
      t.ok(text.includes(words), `the text has: ${words}`)
      t.ok(html.includes(escapeHtml(words)), `the HTML has: ${words}`)
    }
    if (TO_STRANGERS.includes(letter.mail)) t.notMatch(text + html, 'ada', 'no name that a stranger chose')
    t.notMatch(text, /[{}]/, 'each value is there')
    const paragraphs = text.split('\n\n')
    const { code, link } = letter.values
    t.match(paragraphs, { length: code && link ? 7 : code || link ? 6 : 5 }, 'and each paragraph')
    if (link) t.match(text, `\n\n${link}\n\n`, 'the link is alone on its line')
    t.ok(text.length < 800, 'it is short')
    for (const paragraph of paragraphs) t.ok(paragraph.length < 250)

    const button = /<a class="button" href="https:[^"]*">[A-Z][a-z ]*<\/a>/
    t.equal(button.test(html), link !== undefined)
    t.notMatch(
      html.replace(button, ''),
      /<(script|img|link|a|iframe|form)\b|https?:|url\(/i,
      'nothing is fetched, and nothing but the link is clicked',
    )
    t.match(html, /prefers-color-scheme: dark/)
    t.match(html, '<html lang="en">')
    t.equal(html.match(/<p/g)?.length, paragraphs.length, 'the HTML says as much')
  })

t.test('markup in whatever is shown is text, and so are braces', async (t) => {
  const attack = `<img src="x" onerror='alert(1)'> & co {service} {code}`
  const letter = letterOf('sign_in_code', { ...ABOUT, username: attack, code: attack, minutes: 1 })
  const { html, text } = render(letter)
  t.notMatch(html, '<img')
  const inHtml = '&lt;img src=&quot;x&quot; onerror=&#39;alert(1)&#39;&gt; &amp; co {service} {code}'
  t.equal(html.split(inHtml).length - 1, 2)
  t.equal(text.split(attack).length - 1, 2)
})

t.test('a mail that version 0.1 has left in the outbox still goes out', async (t) => {
  const old: OldLetter = {
    subject: 'your password was changed',
    paragraphs: ['Hello ada,', 'Your password was changed.'],
    code: 'ABC',
    facts: [
      ['When', 'today'],
      ['From', 'here'],
    ],
    closing: 'Do something.',
  }
  t.strictSame(render(old).subject, `${SERVICE}: your password was changed`)
  t.equal(
    render(old).text,
    `Hello ada,\n\nYour password was changed.\n\nABC\n\nWhen: today\nFrom: here\n\nDo something.\n\n-- \n${SERVICE}\n`,
  )
  t.match(render(old).html, '<p>When: today<br>From: here</p>')
  t.equal(
    render({ subject: 's', paragraphs: ['One.'] }).text,
    `One.\n\n-- \n${SERVICE}\n`,
    'and has no holes',
  )
})

t.test('the address of a client is in a letter only if it is one', async (t) => {
  const from = (ip: string) => notice('password_changed', { ...ABOUT, ip }).values.from
  t.equal(from('fe80::1%www.evil.example'), 'IP address fe80::1')
  t.equal(from('www.evil.example'), 'an unknown address')
})
