import t from 'tap'
import { namesIn } from '../src/texts/mail-template.ts'
import { builtInMails } from '../src/texts/mails.ts'
import { type Texts, texts } from '../src/texts/texts.ts'

// `npm run typecheck` finds a line below that compiles although it must not.
const { expired: _, ...tokenFaults } = texts.tokenFaults
const { sign_in_code: __, ...mails } = texts.mails
const { meanings: ___, ...incomplete } = texts
// @ts-expect-error one text is missing
export const lacksOne: Texts = { ...texts, tokenFaults }
// @ts-expect-error one mail is missing
export const lacksMail: Texts = { ...texts, mails }
// @ts-expect-error all texts of a kind are missing
export const lacksKind: Texts = incomplete
// @ts-expect-error a text forgets that it has a value in it
export const isPlain: Texts = { ...texts, details: { ...texts.details, rateLimited: 'Too many requests.' } }

t.test('details speak to the person who fills in the form', async (t) => {
  const { details } = texts
  const asText = (detail: unknown) => (typeof detail === 'function' ? detail(90) : detail)
  const said = Object.entries(details).map(([name, detail]) => [name, String(asText(detail))] as const)
  t.ok(said.length > 50)
  for (const [name, detail] of said) {
    t.match(detail, /^[A-Z].*\.$/, `${name} is a sentence`)
    t.notMatch(detail, /\b(GET|POST|PUT|DELETE) \/|account token/, `${name} names no call`)
  }
})

t.test('how long to wait is said in a unit that people count in', async (t) => {
  const wait = (seconds: number) => / in (.*)\.$/.exec(texts.details.rateLimited(seconds))?.[1]
  t.equal(wait(1), '1 second')
  t.equal(wait(119), '119 seconds')
  t.equal(wait(121), '3 minutes', 'never too short')
  t.equal(wait(7200), '2 hours')
})

t.test('a mail has known names in its braces, and only the service in its subject', async (t) => {
  const known = ['service', 'username', 'code', 'link', 'minutes', 'days', 'factor', 'when', 'from']
  for (const [name, { subject, text }] of Object.entries(builtInMails)) {
    t.strictSame(namesIn(subject), ['service'], name)
    for (const inBraces of namesIn(text)) t.ok(known.includes(inBraces), `${name}: ${inBraces}`)
  }
  t.equal(
    Object.keys(builtInMails).length,
    Object.keys(texts.mails).length + Object.keys(texts.notices).length,
    'no notice has the name of another mail',
  )
})
