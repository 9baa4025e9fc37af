import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { operatorCaller } from '../../src/cli/operator.ts'
import { resetFactors } from '../../src/factors/reset.ts'
import { codeIn } from '../helpers/people/mail.ts'
import { totp } from '../helpers/people/totp.ts'
import { type AppExample, EXPRESS, FLASK, PERSON, startAppExample } from '../helpers/programs/app-example.ts'
import { browserMissing, openBrowser, watchPage } from '../helpers/programs/browser.ts'
import { readPng } from '../helpers/programs/qr-reader.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { type Enrolled, enrol, login, nextCode, PASSWORD, wrongCode } from '../helpers/service/service.ts'

/** The examples of apps with pages of their own, in a browser: people copy them, with what they do when things go wrong. */

if (browserMissing) t.pass(browserMissing, { skip: browserMissing })
else
  for (const [name, app] of Object.entries({ EXPRESS, FLASK }))
    t.test(`the ${name} app`, { skip: app.missing }, async (t) => walk(t, await startAppExample(t, app)))

const press = (tab: Page, name: string) => tab.getByRole('button', { name, exact: true }).click()
const titled = (tab: Page, name: string) => tab.getByRole('heading', { name, exact: true }).waitFor()

async function walk(t: Test, app: AppExample): Promise<void> {
  const { service, origin } = app
  const { clock, db } = service
  const browser = await openBrowser(t)
  await browser.grantPermissions(['clipboard-read', 'clipboard-write'])
  const complaints: string[] = []

  async function openTab(): Promise<Page> {
    const tab = await browser.newPage()
    const watched = watchPage(tab, [origin, origin.replace('localhost', '127.0.0.1')])
    tab.on('close', () => {
      complaints.push(...watched.complaints.filter((text) => !/status of [45]\d\d/.test(text)))
      complaints.push(...watched.foreignRequests)
    })
    await tab.goto(origin)
    return tab
  }
  const tab = await openTab()

  /** Opens the app as a person who was never there. */
  async function begin(path = '/') {
    await browser.clearCookies()
    await tab.goto(origin + path)
  }

  async function givePassword(tab: Page, username: string, password = PASSWORD, button = 'Sign in') {
    await tab.getByLabel('Username').fill(username)
    await tab.getByLabel('Password', { exact: true }).fill(password)
    await press(tab, button)
  }
  async function giveCode(tab: Page, code: string, label = 'Code from the authenticator app') {
    const field = tab.getByLabel(label)
    await field.fill(code)
    await field.press('Enter')
  }
  /** Waits for a sentence. */
  const told = (tab: Page, text: string | RegExp) =>
    tab.getByRole('alert').filter({ hasText: text }).waitFor()
  async function signIn(tab: Page, person: Enrolled) {
    await givePassword(tab, person.username)
    await giveCode(tab, nextCode(service, person))
    await titled(tab, `Hello, ${person.username}`)
  }
  const liveSessions = async (id: string) =>
    db
      .selectFrom('sessions')
      .select('ip')
      .where('account_id', '=', id)
      .where('ended_at', 'is', null)
      .execute()

  await t.test(
    'a new person gets in with a code, a typo does not cost the QR code, codes stay until saved',
    async (t) => {
      await begin('/register')
      await tab.getByLabel('Email (optional)').fill('ada@example.com')
      await givePassword(tab, 'a b', 'short', 'Create account')
      await told(tab, 'A username can contain only letters')
      t.equal(await tab.getByLabel('Username').inputValue(), 'a b')
      t.equal(await tab.getByLabel('Email (optional)').inputValue(), 'ada@example.com')
      await tab.getByLabel('Email (optional)').fill('')
      await givePassword(tab, 'ada', 'short', 'Create account')
      await told(tab, 'at least 8 characters')
      await givePassword(tab, 'ada', PASSWORD, 'Create account')
      const picture = tab.getByAltText('QR code')
      const uri = readPng(await picture.screenshot()) ?? ''
      const link = tab.getByRole('link', { name: 'Open in an authenticator app on this device' })
      t.equal(await link.getAttribute('href'), uri)
      const secret = new URL(uri).searchParams.get('secret') ?? ''
      const [before] = await browser.cookies()
      t.match(before, { httpOnly: true, sameSite: 'Lax' })

      await giveCode(tab, wrongCode(service, { secret }))
      await told(tab, 'Tries left: 4.')
      t.equal(readPng(await picture.screenshot()), uri)
      await tab.getByText('I cannot scan it').click()
      t.equal(await tab.locator('code').innerText(), secret)
      await giveCode(tab, '12345')
      await told(tab, 'six digits')
      await giveCode(tab, totp(secret, clock.now()))

      await titled(tab, 'Save your recovery codes')
      const codes = await tab.locator('#codes li').allInnerTexts()
      t.equal(codes.length, 10)
      await tab.reload()
      t.strictSame(await tab.locator('#codes li').allInnerTexts(), codes, 'a reload does not lose them')
      await press(tab, 'Copy')
      await tab.getByRole('button', { name: 'Copied' }).waitFor()
      t.equal(await tab.evaluate('navigator.clipboard.readText()'), codes.join('\n'))
      const download = tab.waitForEvent('download')
      await tab.getByRole('link', { name: 'Download' }).click()
      t.equal((await download).suggestedFilename(), 'recovery-codes.txt')
      await press(tab, 'I have saved them')
      await titled(tab, 'Hello, ada')
      await tab.goBack()
      await tab.goto(origin)
      await titled(tab, 'Hello, ada')
      t.equal(await tab.locator('#codes').count(), 0, 'and never again')

      const account = await db.selectFrom('accounts').select('id').executeTakeFirstOrThrow()
      t.strictSame(app.rows('select * from users'), [{ id: 1, keyturn_id: account.id, username: 'ada' }])
      const [after] = await browser.cookies()
      t.not(after?.value, before?.value, 'a new session id at the step up')
      const [kept] = app.rows('select * from sessions')
      t.not(kept?.id, after?.value, 'what is kept does not sign in')
      t.notMatch(String(kept?.data), codes[0])
    },
  )

  await t.test('signing out in one tab is signing out in the other, and of Keyturn', async (t) => {
    const bob = await enrol(service, 'bob')
    await begin()
    await givePassword(tab, 'bob', 'wrong')
    await told(tab, 'The username or the password is wrong.')
    await givePassword(tab, 'bob')
    await giveCode(tab, bob.confirmingCode)
    await told(tab, 'Tries left: 4.')
    await giveCode(tab, nextCode(service, bob))
    await titled(tab, 'Hello, bob')
    const other = await openTab()
    await titled(other, 'Hello, bob')
    await press(tab, 'Sign out')
    await titled(tab, 'Sign in')
    await press(other, 'Sign out')
    await titled(other, 'Sign in')
    await other.close()
    t.strictSame((await liveSessions(bob.id)).length, 1, 'the one of the registration is left')
  })

  await t.test('of two sign-ins in two tabs the later one goes on', async (t) => {
    const [carol, dave] = [await enrol(service, 'carol'), await enrol(service, 'dave')]
    await begin()
    await givePassword(tab, 'carol')
    await titled(tab, 'Confirm that it is you')
    const other = await openTab()
    await press(other, 'I am not carol')
    await givePassword(other, 'dave')
    await titled(other, 'Confirm that it is you')
    await giveCode(tab, nextCode(service, carol))
    await told(tab, 'another tab')
    await giveCode(tab, nextCode(service, dave))
    await titled(tab, 'Hello, dave')
    await giveCode(other, '000000')
    await titled(other, 'Hello, dave')
    await other.close()
    const refused = await db
      .selectFrom('audit_events')
      .select('event')
      .where('account_id', 'in', [carol.id, dave.id])
      .where('outcome', '=', 'failure')
      .execute()
    t.strictSame(refused, [], 'no code was tried at the wrong account')
  })

  await t.test('a recovery code lets in who has lost the phone', async (t) => {
    const erin = await enrol(service, 'erin')
    await begin()
    await givePassword(tab, 'erin')
    await tab.getByText('I have lost my phone').click()
    await giveCode(tab, 'AAAA-AAAA-AAAA-AAAA-AAAA-AAAA', 'Recovery code')
    await told(tab, 'This code is wrong, expired or used. Tries left: 4.')
    await giveCode(tab, erin.recoveryCodes[0] ?? '', 'Recovery code')
    await titled(tab, 'Hello, erin')
    await tab.getByText('Recovery codes left: 9').waitFor()
    await db.deleteFrom('recovery_codes').execute()
    await tab.reload()
    await tab.getByText('Recovery codes left: 0').waitFor()
    t.pass('signed in')
  })

  await t.test('an mfa token that is dead leads back to the password', async (t) => {
    const frank = await enrol(service, 'frank')
    await begin()
    const wrong = wrongCode(service, frank)
    await givePassword(tab, 'frank')
    for (let left = 4; left > 0; left--) {
      await giveCode(tab, wrong)
      await told(tab, `Tries left: ${left}.`)
    }
    await giveCode(tab, wrong)
    await told(tab, 'There were too many wrong codes. Please enter your password again.')
    await titled(tab, 'Sign in')

    await givePassword(tab, 'frank')
    await titled(tab, 'Confirm that it is you')
    clock.advance(301)
    await giveCode(tab, nextCode(service, frank))
    await told(tab, 'Signing in took too long. Please enter your password again.')

    const mfaToken = await login(service, 'frank')
    for (let tries = 0; tries < 5; tries++)
      await service.post('/2fa/verify', { code: wrongCode(service, frank) }, mfaToken)
    await givePassword(tab, 'frank')
    await giveCode(tab, totp(frank.secret, clock.now()))
    await told(tab, 'Too many failed attempts. Try again in 30 seconds.')
    t.equal(await tab.getByLabel('Username').count(), 0, 'a pause does not lead back to the password')
  })

  await t.test('a code comes by mail where the account has an address', async (t) => {
    await begin('/register')
    await tab.getByLabel('Email (optional)').fill('grace@example.com')
    await givePassword(tab, 'grace', PASSWORD, 'Create account')
    await press(tab, 'Send me a code by email')
    await tab.getByText('You can have another one in').waitFor()
    await press(tab, 'Send another code')
    await told(tab, /Try again in \d+ seconds\./)
    clock.advance(61)
    await press(tab, 'Send another code')
    await eventually('the second mail', () => app.smtp.mails.length === 2)
    await giveCode(tab, codeIn(app.smtp.mails[0]), 'Code from the email')
    await told(tab, 'This code is wrong, expired or used.')
    await giveCode(tab, codeIn(app.smtp.mails[1]), 'Code from the email')
    await titled(tab, 'Save your recovery codes')
    t.pass('the mailbox is the factor')
  })

  await t.test('a passkey is the first factor, the second one, and enough alone', async (t) => {
    await begin('/register')
    const cdp = await browser.newCDPSession(tab)
    await cdp.send('WebAuthn.enable')
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        ...{ protocol: 'ctap2', transport: 'internal', automaticPresenceSimulation: true },
        ...{ hasResidentKey: true, hasUserVerification: true, isUserVerified: true },
      },
    })
    await givePassword(tab, 'heidi', PASSWORD, 'Create account')
    await press(tab, 'Use a passkey')
    await titled(tab, 'Save your recovery codes')
    await press(tab, 'I have saved them')
    await press(tab, 'Sign out')

    await givePassword(tab, 'heidi')
    await press(tab, 'Use a passkey')
    await titled(tab, 'Hello, heidi')
    await press(tab, 'Sign out')

    await press(tab, 'Sign in with a passkey')
    await titled(tab, 'Hello, heidi')
    await press(tab, 'Sign out')

    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
    await press(tab, 'Sign in with a passkey')
    await told(tab, 'No passkey was used.')
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true })
    await press(tab, 'Ask again')
    await titled(tab, 'Hello, heidi')
    t.equal(app.rows(`select * from users where username = 'heidi'`).length, 1)
  })

  await t.test('while Keyturn does not answer, people are told so and go on afterwards', async (t) => {
    const ivan = await enrol(service, 'ivan')
    await begin()
    app.fail('refused')
    await givePassword(tab, 'ivan')
    await told(tab, 'The sign-in service does not answer.')
    app.fail(null)
    await givePassword(tab, 'ivan')
    app.fail('refused')
    await giveCode(tab, nextCode(service, ivan))
    await told(tab, 'The sign-in service does not answer.')
    app.fail('unanswered', '/2fa/verify')
    await giveCode(tab, nextCode(service, ivan))
    await told(tab, 'The sign-in service does not answer.')
    app.fail(null)
    await giveCode(tab, nextCode(service, ivan))
    await told(
      tab,
      'This sign-in was used already, or its answer got lost. Please enter your password again.',
    )
    await signIn(tab, ivan)

    app.fail('refused')
    await tab.reload()
    await told(tab, 'The sign-in service does not answer.')
    await titled(tab, 'Hello, ivan')
    app.fail(null)
    await tab.getByRole('link', { name: 'Try again' }).click()
    await tab.getByText('Recovery codes left: 10').waitFor()

    const before = (await liveSessions(ivan.id)).length
    app.fail('refused')
    await press(tab, 'Sign out')
    await titled(tab, 'Sign in')
    t.equal((await liveSessions(ivan.id)).length, before)
    app.fail(null)
    await signIn(tab, ivan)
    t.equal((await liveSessions(ivan.id)).length, before, 'the next sign-in has ended the one of before')
    t.strictSame(app.rows('select * from sign_outs'), [])

    app.fail('refused', '/2fa/setup')
    await press(tab, 'Sign out')
    await tab.goto(`${origin}/register`)
    await givePassword(tab, 'judy', PASSWORD, 'Create account')
    await told(tab, 'The sign-in service does not answer.')
    app.fail(null)
    await tab.getByRole('link', { name: 'Try again' }).click()
    await tab.getByAltText('QR code').waitFor()
  })

  await t.test(
    'an access token is renewed before it is used, and a session that has ended ends here',
    async (t) => {
      const mallory = await enrol(service, 'mallory')
      await begin()
      await signIn(tab, mallory)
      const asked = async (prepare: () => void) => {
        prepare()
        app.asked.length = 0
        await tab.reload()
        await titled(tab, 'Hello, mallory')
        return [...app.asked]
      }
      t.strictSame(await asked(() => clock.advance(601)), ['/2fa', '/token/refresh', '/2fa'])
      t.strictSame(await asked(() => {}), ['/2fa'])
      const runOut = () => app.rows(`update sessions set data = json_set(data, '$.tokens.renewAt', 0)`)
      t.strictSame(await asked(runOut), ['/token/refresh', '/2fa'])

      // Its answer is lost, and two tabs ask again at once.
      runOut()
      app.fail('unanswered', '/token/refresh')
      await tab.reload()
      await told(tab, 'The sign-in service does not answer.')
      app.fail(null)
      const other = await openTab()
      await Promise.all([tab.reload(), other.reload()])
      for (const one of [tab, other]) await one.getByText('Recovery codes left: 10').waitFor()

      await other.close()

      const used = db
        .selectFrom('refresh_tokens')
        .select('idempotency_key_hash')
        .where('rotated_at', 'is not', null)
      t.ok(
        (await used.execute()).every((row) => row.idempotency_key_hash !== null),
        'each refresh can be repeated',
      )

      clock.advance(601)
      await press(tab, 'Sign out')
      await titled(tab, 'Sign in')
      t.equal(
        (await liveSessions(mallory.id)).length,
        1,
        'nothing stays alive where the access token has run out',
      )

      await signIn(tab, mallory)
      const [kept] = app.rows(
        `select data ->> '$.tokens.refresh_token' as token from sessions where data ->> '$.user.username' = 'mallory'`,
      )
      await service.post('/token/revoke', { token: kept?.token })
      await tab.reload()
      await told(tab, 'You were signed out. Please enter your password again.')
    },
  )

  await t.test('who was reset by an operator sets up another authenticator', async (t) => {
    const niaj = await enrol(service, 'niaj')
    const account = await service.deps.accounts.byId(niaj.id)
    if (!account) throw new Error('no account')
    const enrolmentCode = await resetFactors(service.deps, account, operatorCaller())
    await begin()
    await givePassword(tab, 'niaj')
    await giveCode(tab, 'AAAA-AAAA-AAAA-AAAA', 'Enrolment code')
    await told(tab, 'This code is wrong, expired or used.')
    await giveCode(tab, String(enrolmentCode), 'Enrolment code')
    await tab.getByText('I cannot scan it').click()
    await giveCode(tab, totp(await tab.locator('code').innerText(), clock.now()))
    await titled(tab, 'Save your recovery codes')
    t.pass('signed in')
  })

  await t.test('forms of other sites are refused', async (t) => {
    await begin()
    await tab.goto(origin.replace('localhost', '127.0.0.1'))
    await givePassword(tab, 'ada')
    await told(tab, `Please open this site at ${origin}.`)
    const answer = await tab.goto(origin)
    t.match(answer?.headers(), {
      'cache-control': 'no-store',
      'content-security-policy': /form-action 'self'; frame-ancestors 'none'/,
    })
    const broken = await tab.request.post(`${origin}/passkey`, {
      headers: { origin },
      form: { credential: '{' },
    })
    t.equal(broken.status(), 500)
    t.notMatch(await broken.text(), /SyntaxError|Traceback|\.mjs|\.py/, 'no stack trace')
  })

  await tab.close()
  const callers = await db.selectFrom('audit_events').select(['ip', 'user_agent']).distinct().execute()
  const browsers = callers.filter(({ user_agent }) => /Chrome/.test(user_agent))
  t.ok(browsers.length > 0 && browsers.every(({ ip }) => ip === PERSON), 'each call has said whose it was')
  t.notMatch(
    callers.map(({ user_agent }) => user_agent),
    ['node', /Python/],
  )
  t.strictSame(complaints, [])
}
