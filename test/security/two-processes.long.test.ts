// The attack: what is good once is sent fifty times at once, half of them to another process on the same database,
// so that neither process can know by itself what the other one has let in. (Authenticator codes, mfa tokens,
// refresh tokens and mailed codes: replayed-code, replayed-mfa-token, forked-session, email-code-race.)
import t from 'tap'
import { openDatabase } from '../../src/platform/database.ts'
import { inPlaceOfTheOld } from '../helpers/people/factors.ts'
import { codeIn, mailing } from '../helpers/people/mail.ts'
import { totp } from '../helpers/people/totp.ts'
import { type ServerProcess, sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { startMailServer } from '../helpers/programs/smtp.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { enrol, login, logins, PASSWORD, register, wrongCode } from '../helpers/service/service.ts'

const BURST = 50

const smtp = await startMailServer(t)
const environment: Record<string, string> = {
  ...(await sharedEnvironment(t)),
  ...mailing(smtp),
  HASH_QUEUE: '100',
}
const startTwo = (more = {}) =>
  Promise.all([startProcess(t, { ...environment, ...more }), startProcess(t, { ...environment, ...more })])
const [first, second] = await startTwo()
/** Where an account may be without a factor. */
const lenient = await startTwo({ MFA_POLICY: 'optional' })
const db = await openDatabase(environment.DATABASE_URL as string)
t.teardown(() => db.destroy())

/** To the one process and the other in turn. */
const to = (index: number): ServerProcess => (index % 2 ? first : second)

/** A code that is good now and was not used yet. */
const nextCode = (secret: string) => totp(secret, Date.now() + 30_000)

/** An account with an authenticator and a proven address. */
async function enrolWithAddress(username: string) {
  const account = await enrol(first, username)
  const before = smtp.mails.length
  await first.put('/me/email', { email: `${username}@example.com` }, account.accountToken)
  await smtp.waitFor(before + 1)
  return { ...account, mailedCode: codeIn(smtp.mails.find(({ to }) => to[0] === `${username}@example.com`)) }
}

t.test('one name in fifty spellings is registered once', async (t) => {
  const spelling = (index: number) =>
    [...'adalovelace']
      .map((letter, place) => ((index >> (place % 6)) & 1 ? letter.toUpperCase() : letter))
      .join('')
  const answers = await burst(BURST, (index) =>
    to(index).post('/register', { username: spelling(index), password: PASSWORD }),
  )
  t.strictSame(tally(answers), { 201: 1, '409 username_taken': BURST - 1 })
})

t.test('one recovery code opens one session', async (t) => {
  const { recoveryCodes } = await enrol(first, 'recovering')
  const tokens = await logins(second, BURST, 'recovering')
  const body = { code: recoveryCodes[0], method: 'recovery_code' }
  const answers = await burst(BURST, (index) => to(index).post('/2fa/verify', body, tokens[index]))
  const { 200: won, '422 invalid_code': refused = 0, '429 too_many_attempts': paused = 0 } = tally(answers)
  t.equal(won, 1)
  t.equal(refused + paused, BURST - 1)
})

t.test('one code confirms the first authenticator once', async (t) => {
  const { mfaToken } = await register(first, 'confirming')
  const { secret } = (await first.post('/2fa/setup', undefined, mfaToken)).body
  const code = totp(secret, Date.now())
  const answers = await burst(BURST, (index) => to(index).post('/2fa/verify', { code }, mfaToken))
  t.strictSame(tally(answers), { 200: 1, '401 invalid_token': BURST - 1 })
  t.equal(answers.filter(({ body }) => body.recovery_codes).length, 1, 'its codes are shown once')
})

t.test('one code puts an authenticator in the place of another once', async (t) => {
  const { accessToken, accountToken } = await enrol(first, 'replacing')
  const inPlace = await inPlaceOfTheOld(first, accessToken)
  const { secret } = (await first.post('/2fa/setup', inPlace, accountToken)).body
  const code = totp(secret, Date.now())
  const answers = await burst(BURST, (index) => to(index).post('/2fa/setup/confirm', { code }, accountToken))
  t.strictSame(tally(answers), { 200: 1, '401 invalid_token': BURST - 1 })
})

t.test('one account token makes one change', async (t) => {
  const { accountToken, id } = await enrol(first, 'renewing')
  const answers = await burst(BURST, (index) =>
    to(index).post('/2fa/recovery-codes', undefined, accountToken),
  )
  t.strictSame(tally(answers), { 200: 1, '401 invalid_token': BURST - 1 })
  const codes = await db.selectFrom('recovery_codes').where('account_id', '=', id).selectAll().execute()
  t.equal(codes.length, 10)
})

t.test('one mailed code proves an address once', async (t) => {
  const { accessToken, mailedCode: code } = await enrolWithAddress('proving')
  const answers = await burst(BURST, (index) => to(index).post('/me/email/verify', { code }, accessToken))
  const { 200: won, '422 invalid_code': refused = 0, '429 too_many_attempts': paused = 0 } = tally(answers)
  t.equal(won, 1)
  t.equal(refused + paused, BURST - 1)
})

t.test('one reset token sets one password', async (t) => {
  const { accessToken, mailedCode: code } = await enrolWithAddress('forgetting')
  await first.post('/me/email/verify', { code }, accessToken)
  await first.post('/password/forgot', { username: 'forgetting' })
  const isReset = ({ to, text }: (typeof smtp.mails)[number]) =>
    to[0] === 'forgetting@example.com' && /^ {4}\S{40,}\r?$/m.test(text)
  while (!smtp.mails.some(isReset)) await smtp.waitFor(smtp.mails.length + 1)
  const token = codeIn(smtp.mails.find(isReset))

  const passwordOf = (index: number) => `a password of try ${index}`
  const answers = await burst(BURST, (index) =>
    to(index).post('/password/reset', { token, new_password: passwordOf(index) }),
  )
  t.strictSame(tally(answers), { 204: 1, '401 invalid_token': BURST - 1 })
  const winner = answers.findIndex(({ status }) => status === 204)
  t.ok(await login(second, 'forgetting', passwordOf(winner)), 'and it is the one that was told to be set')
})

t.test('the factors of an account are removed once', async (t) => {
  const { accountToken, id } = await enrol(first, 'removing')
  const answers = await burst(BURST, (index) =>
    (lenient[index % 2] as ServerProcess).delete('/2fa', accountToken),
  )
  t.strictSame(tally(answers), { 200: 1, '401 invalid_token': BURST - 1 })
  const removals = db
    .selectFrom('audit_events')
    .where('account_id', '=', id)
    .where('event', '=', 'factor_removed')
  t.equal((await removals.selectAll().execute()).length, 1)
})

t.test(
  'a removal and the answers to challenges leave nobody signed in with a factor that is gone',
  async (t) => {
    const { accountToken, secret, id } = await enrol(first, 'leaving')
    const tokens = await logins(second, 9, 'leaving')
    const code = nextCode(secret)
    const answers = await burst(10, (index) =>
      index === 4
        ? lenient[0].delete('/2fa', accountToken)
        : to(index).post('/2fa/verify', { code }, tokens.pop()),
    )
    t.equal(answers[4]?.status, 200)
    const signedIn = answers.filter(({ status }, index) => status === 200 && index !== 4)
    t.ok(signedIn.length <= 1, JSON.stringify(tally(answers)))
    const live = await db
      .selectFrom('sessions')
      .where('account_id', '=', id)
      .where('ended_at', 'is', null)
      .select('amr')
      .execute()
    t.strictSame(live, [{ amr: 'pwd' }], 'the one session is that of who has removed it')
  },
)

t.test('of fifty wrong codes for one mfa token, five are looked at', async (t) => {
  const account = await enrol(first, 'guessing')
  const token = await login(first, 'guessing')
  const code = wrongCode(first, account)
  const answers = await burst(BURST, (index) => to(index).post('/2fa/verify', { code }, token))
  const { '422 invalid_code': looked, ...refused } = tally(answers)
  t.equal(looked, 5)
  // The account pauses after ten: the ones that were on their way when the token died count as well.
  for (const outcome of Object.keys(refused))
    t.ok(['401 invalid_token', '429 too_many_attempts'].includes(outcome), outcome)
})

t.test('of fifty wrong codes for one account, ten are looked at', async (t) => {
  const account = await enrol(first, 'guessed')
  const tokens = await logins(second, BURST, 'guessed')
  const code = wrongCode(first, account)
  const answers = await burst(BURST, (index) => to(index).post('/2fa/verify', { code }, tokens[index]))
  t.strictSame(tally(answers), { '422 invalid_code': 10, '429 too_many_attempts': BURST - 10 })
})

t.test('of fifty wrong passwords after a pause, one is looked at', async (t) => {
  await register(first, 'paused')
  const tryPassword = (index: number) =>
    to(index).post('/login', { username: 'paused', password: 'not this one' })
  for (let count = 0; count < 10; count += 1)
    t.equal(outcomeOf(await tryPassword(count)), '401 invalid_credentials')
  t.equal(outcomeOf(await tryPassword(0)), '429 too_many_attempts')
  // The half minute is over.
  await db.updateTable('failure_counters').set({ blocked_until: 1 }).where('blocked_until', '>', 0).execute()
  t.strictSame(tally(await burst(BURST, tryPassword)), {
    '401 invalid_credentials': 1,
    '429 too_many_attempts': BURST - 1,
  })
})
