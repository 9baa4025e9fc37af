import t from 'tap'
import { escapeHtml, type Letter, renderLetter } from '../../src/mail/letter.ts'
import { addressCode, passwordReset, signInCode } from '../../src/mail/templates/codes.ts'
import { notice, noticeNames } from '../../src/mail/templates/notices.ts'

/** Letters to addresses that may be a stranger's. */
const TO_STRANGERS = ['addressCode', 'signInCode to an address that is not proven']

/** A mail says whose service it is from, what happened, when, from which address, and what to do about it. */

const ABOUT = { username: 'ada', at: Date.parse('2026-11-21T09:30:00Z'), ip: '203.0.113.7' }
const SERVICE = 'Bücher & <Söhne>'

const LETTERS: Record<string, Letter> = {
  signInCode: signInCode({ ...ABOUT, code: '042913', minutes: 10 }),
  'signInCode to an address that is not proven': signInCode({
    ...ABOUT,
    username: null,
    code: '042913',
    minutes: 10,
  }),
  addressCode: addressCode({ ...ABOUT, code: '042913', minutes: 10 }),
  passwordReset: passwordReset({ ...ABOUT, token: 'A'.repeat(43), minutes: 60 }),
  ...Object.fromEntries(noticeNames.map((name) => [name, notice(name, ABOUT)])),
}

for (const [name, letter] of Object.entries(LETTERS))
  t.test(name, async (t) => {
    const { subject, text, html } = renderLetter(letter, SERVICE)
    t.equal(subject, `${SERVICE}: ${letter.subject}`)
    t.notMatch(subject, /ada|\d{6}|AAAA/, 'nothing of a user is in the subject, which a locked phone shows')

    const said = [
      SERVICE,
      TO_STRANGERS.includes(name) ? 'Hello,' : 'Hello ada,',
      ...letter.paragraphs,
      '21 November 2026 at 09:30 UTC',
      'IP address 203.0.113.7',
      letter.code ?? '',
      letter.closing ?? '',
    ]
    for (const words of said) {
      t.ok(text.includes(words), `the text has: ${words}`)
      t.ok(html.includes(escapeHtml(words)), `the HTML has: ${words}`)
    }
    if (TO_STRANGERS.includes(name)) t.notMatch(text + html, 'ada', 'no name that a stranger chose')
    t.ok(letter.closing, 'what to do')
    t.ok(text.length < 700, 'it is short')
    t.ok(Math.max(...letter.paragraphs.map((paragraph) => paragraph.length)) < 200)

    t.notMatch(
      html,
      /<(script|img|link|a|iframe|form)\b|https?:|url\(/i,
      'nothing is fetched, nothing is clicked',
    )
    t.match(html, /prefers-color-scheme: dark/)
    t.match(html, '<html lang="en">')
  })

t.test('markup in whatever is shown is text', async (t) => {
  const attack = `<img src="x" onerror='alert(1)'> & co`
  const letter = {
    subject: 's',
    paragraphs: [attack],
    code: attack,
    facts: [[attack, attack]],
    closing: attack,
  }
  const { html } = renderLetter(letter as Letter, attack)
  t.notMatch(html, '<img')
  t.equal(html.split('&lt;img src=&quot;x&quot; onerror=&#39;alert(1)&#39;&gt; &amp; co').length - 1, 6)
})

t.test('a letter without a code, facts or closing has no holes', async (t) => {
  const { text, html } = renderLetter({ subject: 's', paragraphs: ['One.', 'Two.'] }, 'Keyturn')
  t.equal(text, 'One.\n\nTwo.\n\n-- \nKeyturn\n')
  t.notMatch(html, /<table>|class="code/)
})

t.test('the address of a client is in a letter only if it is one', async (t) => {
  const { 1: from } = passwordReset({ ...ABOUT, ip: 'fe80::1%www.evil.example', token: 'A', minutes: 60 })
    .facts as [string, string][]
  t.strictSame(from, ['From', 'IP address fe80::1'])
  const letter = notice('password_changed', { ...ABOUT, ip: 'www.evil.example' })
  t.strictSame(letter.facts?.[1], ['From', 'an address that is not known'])
})
