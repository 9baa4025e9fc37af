import t from 'tap'
import {
  codeIn,
  deliver,
  enrolWithAddress,
  giveAddress,
  linkIn,
  type MailingService,
  mailedToken,
  notices,
  proveEmail,
  setEmail,
} from '../helpers/people/mail.ts'
import { claimsOf, disableAccount, isAlive, refresh, signedInBy, signIn } from '../helpers/people/sessions.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import {
  type Answer,
  enrol,
  nextCode,
  PASSWORD,
  type Service,
  startService,
} from '../helpers/service/service.ts'

/** A link proves a new address without a session, and keeps every rule of the code. */

const VERIFY_URL = 'https://app.example.com/verify#token={token}'
const NEW = 'new@example.com'
const NEW_PASSWORD = 'staple in a haystack'

const start = (t: Parameters<typeof startService>[0], environment: Record<string, string> = {}) =>
  startService(t, { mail: true, environment: { VERIFY_URL, ...environment } })

/** Asks for the address, and reads the token in the mail that comes there. */
async function mailedLink(service: MailingService, accessToken: string, email = NEW): Promise<string> {
  const { status, text } = await setEmail(service, accessToken, email)
  if (status !== 202) throw new Error(`answered ${status} ${text}`)
  return new URL(linkIn(service.smtp.mails.at(-1))).hash.replace('#token=', '')
}

const open = (service: Service, token: string, accessToken?: string): Promise<Answer> =>
  service.post('/me/email/verify', { token }, accessToken)

const addressOf = async (service: Service, accessToken: string) =>
  (await service.get('/me', accessToken)).body.email

t.test('the link proves the address without a session, and tells it masked', async (t) => {
  const service = await start(t)
  const ada = await enrol(service)
  const token = await mailedLink(service, ada.accessToken)
  t.match(token, /^[\w-]{43}$/, '256 bits')
  const { text, html } = service.smtp.mails.at(-1) ?? { text: '', html: '' }
  t.match(text, new RegExp(`^https://app\\.example\\.com/verify#token=${token}$`, 'm'), 'the bare URL')
  t.match(html, `href="https://app.example.com/verify#token=${token}"`)
  t.notMatch(`${text}${html}`, /\bada\b/, 'a stranger who reads it learns no username')
  const proven = await open(service, token)
  t.equal(proven.status, 200)
  t.strictSame(proven.body, { email: 'n***@e***.com' })
  t.equal(await addressOf(service, ada.accessToken), NEW)
  t.strictSame(notices(await deliver(service)), [`your address was changed → ${NEW}`])
})

t.test('the code in the same mail still does, and the link is used up with it', async (t) => {
  const service = await start(t)
  const ada = await enrol(service)
  const token = await mailedLink(service, ada.accessToken)
  const code = codeIn(service.smtp.mails.at(-1))
  t.equal((await proveEmail(service, ada.accessToken, code)).status, 200)
  isProblem(t, await open(service, token), 'invalid_token')
  service.clock.advance(60)
  const next = await mailedLink(service, ada.accessToken, 'other@example.com')
  const nextMailed = codeIn(service.smtp.mails.at(-1))
  t.equal((await open(service, next)).status, 200)
  isProblem(t, await proveEmail(service, ada.accessToken, nextMailed), 'invalid_code')
})

t.test('every session ends but the one that asked, and account tokens do', async (t) => {
  const service = await start(t)
  const ada = await enrol(service)
  const other = await signIn(service, ada)
  const token = await mailedLink(service, ada.accessToken)
  const shown = { code: nextCode(service, ada), password: PASSWORD }
  const { body } = await service.post('/2fa/step-up', shown, ada.accessToken)
  t.equal(
    (await open(service, token, other.accessToken)).status,
    200,
    'also where another account is signed in',
  )
  t.notOk(await isAlive(service, other.accessToken))
  t.ok(await isAlive(service, ada.accessToken))
  isProblem(t, await service.post('/2fa/setup', undefined, body.account_token), 'invalid_token')
})

t.test('reset tokens in the mailbox that was left are void', async (t) => {
  const service = await start(t)
  const ada = await enrolWithAddress(service)
  const reset = await mailedToken(service)
  service.clock.advance(60)
  t.equal((await open(service, await mailedLink(service, ada.accessToken))).status, 200)
  const body = { token: reset, new_password: NEW_PASSWORD }
  isProblem(t, await service.post('/password/reset', body), 'invalid_token')
  t.strictSame(notices(await deliver(service)).toSorted(), [
    'your address was changed → ada@example.com',
    `your address was changed → ${NEW}`,
  ])
})

t.test('a link is good once, also in a burst', async (t) => {
  const service = await start(t)
  const ada = await enrol(service)
  const token = await mailedLink(service, ada.accessToken)
  const answers = await burst(20, () => open(service, token))
  t.strictSame(tally(answers), { 200: 1, '401 invalid_token': 19 })
  t.equal((await deliver(service)).length, 1, 'one notice')
  const accepted = await service.db
    .selectFrom('audit_events')
    .select('event')
    .where('event', '=', 'code_accepted')
    .where('method', '=', 'new_address')
    .execute()
  t.equal(accepted.length, 1, 'one event')
})

t.test('a link lives for ten minutes, and until the next one', async (t) => {
  const service = await start(t, { ACCESS_TOKEN_TTL: '1200' })
  for (const [username, age, expected] of [
    ['ada', 599, '200'],
    ['grace', 600, '401 invalid_token'],
  ] as const) {
    const { accessToken } = await enrol(service, username)
    const token = await mailedLink(service, accessToken, `${username}@example.com`)
    service.clock.advance(age)
    t.equal(outcomeOf(await open(service, token)), expected, `after ${age} s`)
  }
  const { accessToken } = await enrol(service, 'edsger')
  const old = await mailedLink(service, accessToken)
  service.clock.advance(60)
  const next = await mailedLink(service, accessToken, 'other@example.com')
  isProblem(t, await open(service, old), 'invalid_token')
  t.equal((await open(service, next)).status, 200)
  t.equal(await addressOf(service, accessToken), 'other@example.com')
})

t.test('five wrong codes void the code and not the link', async (t) => {
  const service = await start(t)
  const ada = await enrol(service)
  const token = await mailedLink(service, ada.accessToken)
  const right = codeIn(service.smtp.mails.at(-1))
  const wrong = right === '000000' ? '000001' : '000000'
  for (let guess = 0; guess < 5; guess += 1)
    isProblem(t, await proveEmail(service, ada.accessToken, wrong), 'invalid_code')
  isProblem(t, await proveEmail(service, ada.accessToken, right), 'invalid_code')
  t.equal((await open(service, token)).status, 200)
})

/** What ends the session that asked for it, and so takes the change away from a thief who has begun it. */
const ENDS: Record<
  string,
  (service: MailingService, ada: Awaited<ReturnType<typeof enrolWithAddress>>) => Promise<unknown>
> = {
  'a new password': async (service) => {
    const body = { token: await mailedToken(service), new_password: NEW_PASSWORD }
    return service.post('/password/reset', body)
  },
  'the end of the session': (service, { accessToken }) => service.post('/logout', undefined, accessToken),
  'the end of all other sessions': async (service, ada) => {
    const { accessToken } = await signIn(service, ada)
    return service.post('/sessions', undefined, accessToken, { method: 'DELETE' })
  },
  'the end of the account': async (service, ada) =>
    service.post('/me', undefined, (await signIn(service, ada)).accountToken, { method: 'DELETE' }),
  'a refresh token that was stolen': async (service, ada) => {
    await refresh(service, ada.refreshToken)
    service.clock.advance(61)
    return refresh(service, ada.refreshToken)
  },
  'an operator who closes the account': (service, { id }) => disableAccount(service, id),
}

for (const [what, happens] of Object.entries(ENDS))
  t.test(`the link ends with ${what}`, async (t) => {
    const service = await start(t)
    const ada = await enrolWithAddress(service)
    service.clock.advance(60)
    const token = await mailedLink(service, ada.accessToken)
    await happens(service, ada)
    isProblem(t, await open(service, token), 'invalid_token')
    const rows = await service.db.selectFrom('accounts').select('email').execute()
    t.ok(
      rows.every(({ email }) => email === ada.email),
      'the address stays',
    )
  })

for (const what of ['a new password', 'the end of the session', 'the end of all other sessions'])
  t.test(`the code ends with ${what}, also for a later session`, async (t) => {
    const service = await start(t)
    const ada = await enrolWithAddress(service)
    service.clock.advance(60)
    await mailedLink(service, ada.accessToken)
    const code = codeIn(service.smtp.mails.at(-1))
    await ENDS[what]?.(service, ada)
    service.clock.advance(30)
    const password = what === 'a new password' ? NEW_PASSWORD : PASSWORD
    const { body } = await service.post('/login', { username: ada.username, password })
    const shown = { code: nextCode(service, ada) }
    const { accessToken } = signedInBy(await service.post('/2fa/verify', shown, body.mfa_token))
    isProblem(t, await proveEmail(service, accessToken, code), 'invalid_code')
    t.equal(await addressOf(service, accessToken), ada.email)
  })

t.test('a code that an earlier version has sent is good without its session', async (t) => {
  const service = await start(t)
  const ada = await enrol(service)
  await mailedLink(service, ada.accessToken)
  await service.db.updateTable('email_changes').set({ session_id: null }).execute()
  t.equal((await proveEmail(service, ada.accessToken, codeIn(service.smtp.mails.at(-1)))).status, 200)
})

t.test('another session may show the code while the one that asked for it lives', async (t) => {
  const service = await start(t)
  const ada = await enrol(service)
  await mailedLink(service, ada.accessToken)
  const { accessToken } = await signIn(service, ada)
  t.equal((await proveEmail(service, accessToken, codeIn(service.smtp.mails.at(-1)))).status, 200)
})

t.test('an account that was closed and opened again has no link', async (t) => {
  const service = await start(t)
  const ada = await enrol(service)
  const token = await mailedLink(service, ada.accessToken)
  await disableAccount(service, ada.id)
  await service.db.updateTable('accounts').set({ disabled_at: null }).execute()
  await service.db.updateTable('sessions').set({ ended_at: service.clock.now() }).execute()
  isProblem(t, await open(service, token), 'invalid_token')
})

t.test('a process of the version before that replaces the code takes the link with it', async (t) => {
  const service = await start(t)
  const ada = await enrol(service)
  const token = await mailedLink(service, ada.accessToken, 'mine@example.com')
  service.clock.advance(60)
  // It knows nothing of the columns of links.
  await service.db
    .updateTable('email_changes')
    .set({ address: 'victim@example.com', code_hash: 'x', sent_at: service.clock.now() })
    .execute()
  isProblem(t, await open(service, token), 'invalid_token')
  t.equal(await addressOf(service, ada.accessToken), null)
})

t.test('`null` for the one that is not given is the same as leaving it out', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrol(service)
  const send = (body: object, token?: string) => service.post('/me/email/verify', body, token)
  isProblem(t, await send({ code: '123456', token: null }, ada.accessToken), 'invalid_code')
  isProblem(t, await send({ code: null, token: 'x'.repeat(43) }), 'invalid_token')
  isProblem(t, await send({ code: null, token: null }, ada.accessToken), 'validation_failed')
})

t.test('the code takes an access token, and one body has one of both', async (t) => {
  const service = await start(t)
  const ada = await enrol(service)
  const token = await mailedLink(service, ada.accessToken)
  const code = codeIn(service.smtp.mails.at(-1))
  const verify = (body: object, accessToken?: string) => service.post('/me/email/verify', body, accessToken)
  for (const body of [{ code }, {}, { code, token: null }]) isProblem(t, await verify(body), 'invalid_token')
  const both = await verify({ code, token })
  isProblem(t, both, 'validation_failed')
  t.match(both.body.errors, [{ pointer: '/code', code: 'unknown_member' }])
  const neither = await verify({}, ada.accessToken)
  isProblem(t, neither, 'validation_failed')
  t.match(neither.body.errors, [{ pointer: '/code', code: 'required' }])
  for (const wrong of [7, '', [token], { token }])
    isProblem(t, await verify({ token: wrong }), 'validation_failed')
  t.equal((await verify({ token })).status, 200)
})

t.test('what is no link is refused, whatever it looks like', async (t) => {
  const service = await start(t)
  const ada = await enrolWithAddress(service)
  service.clock.advance(60)
  const reset = await mailedToken(service)
  const link = await mailedLink(service, ada.accessToken)
  const rows = await service.db.selectFrom('email_changes').selectAll().execute()
  const hash = rows[0]?.token_hash ?? ''
  for (const token of [
    'A'.repeat(43),
    'x',
    reset,
    ada.accessToken.slice(0, 256),
    hash,
    `${link}=`,
    "' or 1=1 --",
  ])
    isProblem(t, await open(service, token), 'invalid_token')
  isProblem(
    t,
    await service.post('/password/reset', { token: link, new_password: NEW_PASSWORD }),
    'invalid_token',
  )
  t.notOk(JSON.stringify(rows).includes(link), 'the database keeps a hash')
  t.notOk(service.logLines.some((line) => line.includes(link)))
})

t.test('a mail scanner that fetches the link changes nothing here', async (t) => {
  const service = await start(t)
  const ada = await enrol(service)
  const token = await mailedLink(service, ada.accessToken)
  for (const method of ['GET', 'HEAD'] as const) {
    const answer = await service.post(`/me/email/verify?token=${token}`, undefined, undefined, { method })
    t.equal(answer.status, 405, method)
  }
  t.equal((await open(service, token)).status, 200)
})

t.test('without the setting mails have the code alone', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrol(service)
  await setEmail(service, ada.accessToken, NEW)
  t.notMatch(service.smtp.mails.at(-1)?.raw, /https?:/)
  const [row] = await service.db.selectFrom('email_changes').selectAll().execute()
  t.match(row, { token_hash: null, token_sent_at: null, session_id: claimsOf(ada.accessToken).sid })
})

t.test('a reset comes as a link where the service has one', async (t) => {
  const RESET_URL = 'myapp://reset?token={token}'
  const service = await startService(t, { mail: true, environment: { RESET_URL } })
  const { accessToken } = await enrol(service)
  await giveAddress(service, accessToken, 'ada@example.com')
  await service.post('/password/forgot', { username: 'ada@example.com' })
  const [mail] = await deliver(service)
  const token = new URL(linkIn(mail)).searchParams.get('token') ?? ''
  t.match(mail?.html, `href="myapp://reset?token=${token}"`)
  t.notMatch(mail?.text, /^ {4}\S/m, 'there is no token to copy')
  const reset = await service.post('/password/reset', { token, new_password: NEW_PASSWORD })
  t.equal(reset.status, 204)
})
