import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { operatorCaller } from '../../src/cli/operator.ts'
import { resetFactors } from '../../src/factors/reset.ts'
import { exampleAppFile } from '../helpers/documents/example-app.ts'
import {
  enrolByEmail,
  enrolWithCodes,
  latestCode,
  type MailingService,
  mailedToken,
} from '../helpers/people/mail.ts'
import { totp } from '../helpers/people/totp.ts'
import { browserMissing, launchBrowser, newPerson, watchPage } from '../helpers/programs/browser.ts'
import { readPng } from '../helpers/programs/qr-reader.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { startListening } from '../helpers/service/listening.ts'
import { enrol, PASSWORD } from '../helpers/service/service.ts'

/**
 * The example of a single-page app is what web developers copy: on an origin of its own, in a real browser, with the client
 * as npm installs it. All of these people use one service, each in a browser context of their own.
 */

const ACCESS_TTL = 600
const MFA_TTL = 300

interface Site {
  service: MailingService & { issuer: string }
  origin: string
  browser: Browser
}

interface App extends Site {
  person: BrowserContext
  /** A tab with the app, watched for complaints. */
  openTab(path?: string): Promise<Page>
  complaints: string[]
  foreignRequests: string[]
  /** How often this path was asked for in all tabs, without the preflights. */
  calls(path: string): number
  /** Lets time go by, here and there. */
  advance(seconds: number): Promise<void>
}

async function openSite(t: Test): Promise<Site> {
  let issuer = ''
  const server = createServer(async ({ url = '' }, response) => {
    const file = await exampleAppFile(url, issuer)
    response.writeHead(file ? 200 : 404, file?.headers).end(file?.text)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const service = await startListening(t, { mail: true, environment: { CORS_ORIGINS: origin } })
  issuer = service.issuer
  return { service, origin, browser: await launchBrowser(t) }
}

async function openApp(t: Test): Promise<App> {
  if (!site) throw new Error('no browser')
  const { service, origin, browser } = site
  const person = await newPerson(t, browser)
  await person.clock.install({ time: service.clock.now() })
  const asked: string[] = []
  person.on('request', (request) => {
    if (request.method() !== 'OPTIONS') asked.push(new URL(request.url()).pathname)
  })
  const complaints: string[] = []
  const foreignRequests: string[] = []
  return {
    ...{ ...site, person, complaints, foreignRequests },
    calls: (path) => asked.filter((one) => one === path).length,
    async openTab(path = '/') {
      const page = await person.newPage()
      const watched = watchPage(page, [origin, service.issuer])
      page.on('close', () => {
        complaints.push(...watched.complaints)
        foreignRequests.push(...watched.foreignRequests)
      })
      await page.goto(origin + path)
      return page
    },
    async advance(seconds) {
      service.clock.advance(seconds)
      await person.clock.fastForward(seconds * 1000)
    },
  }
}

const press = (tab: Page, name: string) => tab.getByRole('button', { name, exact: true }).click()
const heading = (tab: Page, name: string) => tab.getByRole('heading', { name, exact: true })
const shows = (tab: Page, name: string) => heading(tab, name).waitFor()
/** A field of what is shown. */
const field = (tab: Page, label: string) =>
  tab.locator('section:not([hidden])').getByLabel(label, { exact: true })
/** Waits for a message. @returns all of it. */
const told = (tab: Page, text: RegExp, role: 'alert' | 'status' = 'alert') =>
  tab.getByRole(role).filter({ hasText: text }).innerText()

async function givePassword(tab: Page, username: string, password = PASSWORD): Promise<void> {
  await shows(tab, 'Sign in')
  await field(tab, 'Username').fill(username)
  await field(tab, 'Password').fill(password)
  await press(tab, 'Sign in')
}

async function giveCode(tab: Page, code: string, label = 'Code'): Promise<void> {
  await field(tab, label).fill(code)
  await press(tab, 'Continue')
}

async function signUp(tab: Page, username: string, { email = '', password = PASSWORD } = {}): Promise<void> {
  await press(tab, 'Create an account')
  await field(tab, 'Username').fill(username)
  await field(tab, 'Password').fill(password)
  await field(tab, 'Email (optional)').fill(email)
  await press(tab, 'Create account')
}

/** @returns the secret of the authenticator that is on the screen. */
async function scan(tab: Page): Promise<string> {
  const picture = tab.getByAltText('QR code')
  await picture.waitFor()
  return new URL(readPng(await picture.screenshot()) ?? '').searchParams.get('secret') ?? ''
}

const saveCodes = (tab: Page) => press(tab, 'I have saved them')

/** Makes an account by scanning what is on the screen. @returns the secret of the authenticator. */
async function makeAccount(tab: Page, username: string, { clock }: MailingService): Promise<string> {
  await signUp(tab, username)
  const secret = await scan(tab)
  await giveCode(tab, totp(secret, clock.now()))
  await saveCodes(tab)
  await shows(tab, `Hello, ${username}`)
  return secret
}

/** Signs an account in that was made elsewhere. */
async function signIn(app: App, tab: Page, { username, secret }: { username: string; secret: string }) {
  await app.advance(30)
  await givePassword(tab, username)
  await giveCode(tab, totp(secret, app.service.clock.now()))
  await shows(tab, `Hello, ${username}`)
}

/** Until the last of what each tab asks for: a clock that is moved before would end its access token on the way. */
async function reloadAtOnce(tabs: Page[]): Promise<void> {
  const answered = tabs.map((tab) => tab.waitForResponse((response) => response.url().endsWith('/2fa')))
  await Promise.all(tabs.map((tab) => press(tab, 'Reload')))
  await Promise.all(answered)
}

const inBrowser = { skip: browserMissing }

const site = browserMissing ? null : await openSite(t)

t.test(
  'a single-page app registers, scans, refreshes in two tabs at once, signs out and in again, over CORS',
  inBrowser,
  async (t) => {
    const app = await openApp(t)
    const { service } = app
    const first = await app.openTab()
    const secret = await makeAccount(first, 'ada', service)
    const second = await app.openTab()
    await shows(second, 'Hello, ada')
    t.pass('a second tab is signed in too')

    await app.advance(ACCESS_TTL + 1)
    await reloadAtOnce([first, second])
    // One tab renews for both, unless the other does not see yet what it has written.
    t.ok([1, 2].includes(app.calls('/token/refresh')))
    for (const tab of [first, second]) t.ok(await heading(tab, 'Hello, ada').isVisible())

    await app.advance(ACCESS_TTL + 1)
    await press(first, 'Sign out')
    await shows(first, 'Sign in')
    await shows(second, 'Sign in')
    t.match(await told(second, /./, 'status'), 'You were signed out.', 'in all tabs')
    t.equal(await second.evaluate(() => JSON.stringify(localStorage)), '{}')
    const live = service.db.selectFrom('sessions').select('id').where('ended_at', 'is', null)
    t.strictSame(await live.execute(), [], 'nothing of the session is alive')

    await signIn(app, second, { username: 'ada', secret })
    await shows(first, 'Hello, ada')
    t.pass('and in again')

    for (const tab of [first, second]) await tab.close()
    t.strictSame(app.complaints, [], 'no error on the console, also under the policy of the documents')
    t.strictSame(app.foreignRequests, [], 'nothing is fetched from anywhere else')
  },
)

t.test(
  'where a browser has no locks, two tabs that refresh at once both stay signed in',
  inBrowser,
  async (t) => {
    const app = await openApp(t)
    await app.person.addInitScript(
      'Object.defineProperty(Navigator.prototype, "locks", { value: undefined })',
    )
    const first = await app.openTab()
    await makeAccount(first, 'bob', app.service)
    const second = await app.openTab()
    await shows(second, 'Hello, bob')

    // Neither is answered before both have asked.
    const held: (() => void)[] = []
    await app.person.route('**/token/refresh', async (route) => {
      if (route.request().method() === 'POST') {
        if (held.length === 0) await new Promise<void>((resolve) => held.push(resolve))
        else for (const release of held) release()
      }
      await route.continue()
    })
    for (let round = 1; round <= 2; round++) {
      await app.advance(ACCESS_TTL + 1)
      held.length = 0
      await reloadAtOnce([first, second])
      t.equal(app.calls('/token/refresh'), 2 * round)
      for (const tab of [first, second]) t.ok(await heading(tab, 'Hello, bob').isVisible())
    }
    for (const tab of [first, second]) await tab.close()
    t.strictSame(app.complaints, [])
  },
)

t.test(
  'a typo keeps the QR code, a reload keeps the step, and recovery codes stay until they are saved',
  inBrowser,
  async (t) => {
    const app = await openApp(t)
    const tab = await app.openTab()
    await signUp(tab, 'carol')
    const secret = await scan(tab)
    t.equal(
      new URL((await tab.locator('#enrolment a').getAttribute('href')) ?? '').searchParams.get('secret'),
      secret,
    )
    await tab.reload()
    t.equal(await scan(tab), secret, 'after a reload it is the same one')

    await giveCode(tab, '000000')
    t.match(await told(tab, /code is wrong/), /./)
    t.equal(await scan(tab), secret)
    await tab.reload()
    await scan(tab)
    await giveCode(tab, totp(secret, app.service.clock.now()))
    await shows(tab, 'Save your recovery codes')
    const codes = await tab.locator('#recovery li').allInnerTexts()
    t.equal(codes.length, 10)

    await tab.reload()
    await shows(tab, 'Save your recovery codes')
    t.strictSame(await tab.locator('#recovery li').allInnerTexts(), codes)
    await app.person.grantPermissions(['clipboard-read', 'clipboard-write'])
    await press(tab, 'Copy')
    await told(tab, /Copied/, 'status')
    t.equal(await tab.evaluate('navigator.clipboard.readText()'), codes.join('\n'))
    const [file] = await Promise.all([tab.waitForEvent('download'), tab.getByText('Download').click()])
    t.equal(file.suggestedFilename(), 'recovery-codes.txt')
    await saveCodes(tab)
    await shows(tab, 'Hello, carol')
    t.notMatch(await tab.evaluate(() => JSON.stringify(localStorage)), String(codes[0]))
  },
)

t.test('who has lost the phone signs in with a recovery code', inBrowser, async (t) => {
  const app = await openApp(t)
  const { recoveryCodes } = await enrol(app.service, 'dora')
  const tab = await app.openTab()
  await givePassword(tab, 'dora')
  await press(tab, 'I have lost my phone')
  t.equal(await field(tab, 'Recovery code').getAttribute('inputmode'), 'text')
  await giveCode(tab, String(recoveryCodes[0]).toUpperCase(), 'Recovery code')
  await shows(tab, 'Hello, dora')
  await press(tab, 'New recovery codes (9 left)')
  await shows(tab, 'Save your recovery codes')
  t.notMatch(await tab.locator('#recovery li').allInnerTexts(), [recoveryCodes[1]])
})

t.test(
  'whose factors an operator has reset sets up others with the code from there',
  inBrowser,
  async (t) => {
    const app = await openApp(t)
    const { id } = await enrol(app.service, 'hypatia')
    const account = await app.service.deps.accounts.byId(id)
    const code = account && (await resetFactors(app.service.deps, account, operatorCaller()))
    const tab = await app.openTab()
    await givePassword(tab, 'hypatia')
    await giveCode(tab, 'aaaa-aaaa-aaaa-aaaa', 'Enrolment code')
    await told(tab, /code is wrong/)
    await tab.reload()
    await giveCode(tab, String(code), 'Enrolment code')
    const secret = await scan(tab)
    await tab.reload()
    t.equal(await scan(tab), secret, 'it is asked for once')
    await giveCode(tab, totp(secret, app.service.clock.now()))
    await saveCodes(tab)
    await shows(tab, 'Hello, hypatia')
  },
)

t.test('five wrong codes, or five minutes, lead back to the password, and say so', inBrowser, async (t) => {
  const app = await openApp(t)
  const { secret } = await enrol(app.service, 'erin')
  const tab = await app.openTab()
  await givePassword(tab, 'erin')
  for (let left = 4; left > 0; left--) {
    await giveCode(tab, '000000')
    await told(tab, new RegExp(`code is wrong.* Tries left: ${left}\\.$`))
  }
  await giveCode(tab, '000000')
  t.equal(await told(tab, /Too many/), 'Too many wrong codes. Please sign in again.')

  await givePassword(tab, 'erin')
  await field(tab, 'Code').waitFor()
  await app.advance(MFA_TTL + 1)
  t.equal(await told(tab, /too long/), 'That took too long. Please sign in again.')

  await givePassword(tab, 'erin')
  await press(tab, 'Back to the password')
  await shows(tab, 'Sign in')
  await tab.reload()
  await givePassword(tab, 'erin', 'wrong')
  t.equal(await told(tab, /wrong/), 'The username or the password is wrong.')

  await givePassword(tab, 'erin')
  await field(tab, 'Code').waitFor()
  // Ended by the service while this page knows nothing of it.
  const dead = { consumed_at: app.service.clock.now() }
  await app.service.db.updateTable('challenges').set(dead).where('consumed_at', 'is', null).execute()
  await giveCode(tab, totp(secret, app.service.clock.now()))
  t.equal(await told(tab, /start again/), 'That took too long, or it was used before. Please start again.')
  await shows(tab, 'Sign in')
})

t.test('a code by email is sent, sent again after the wait, and signs in', inBrowser, async (t) => {
  const app = await openApp(t)
  const { service } = app
  await enrolWithCodes(service, 'fay')
  await app.advance(60)
  const tab = await app.openTab()
  await givePassword(tab, 'fay')
  await press(tab, 'Get a code by email')
  t.match(await tab.locator('#hint').filter({ hasText: 'sent' }).innerText(), /to f\*+@e\*+\.com/)
  const again = tab.getByRole('button', { name: 'Send' })
  t.equal(await again.isDisabled(), true)
  const before = latestCode(service.smtp)
  await app.advance(60)
  await press(tab, 'Send another code')
  await eventually('another mail', () => latestCode(service.smtp) !== before)
  await giveCode(tab, latestCode(service.smtp), 'Code from the mail')
  await shows(tab, 'Hello, fay')
})

t.test('a mailbox is the first factor of who has no authenticator', inBrowser, async (t) => {
  const app = await openApp(t)
  const { service } = app
  const tab = await app.openTab()
  await signUp(tab, 'gus', { email: 'gus@example.com' })
  await press(tab, 'Get a code by email')
  await tab.locator('#hint').filter({ hasText: 'sent' }).waitFor()
  t.equal(await tab.getByAltText('QR code').isVisible(), false)
  await giveCode(tab, latestCode(service.smtp), 'Code from the mail')
  await saveCodes(tab)
  await shows(tab, 'Hello, gus')
})

t.test(
  'without a network the page says so and goes on when it is back; a sign-out is made good then',
  inBrowser,
  async (t) => {
    const app = await openApp(t)
    const { service, person } = app
    const account = await enrol(service, 'hana')
    const tab = await app.openTab()
    await shows(tab, 'Sign in')
    await person.setOffline(true)
    await givePassword(tab, 'hana')
    t.equal(await told(tab, /./), 'The service cannot be reached. Check the connection and try again.')
    await press(tab, 'Create an account')
    await field(tab, 'Username').fill('hana')
    const [config] = await Promise.all([
      tab.waitForResponse((response) => response.url().endsWith('/config')),
      person.setOffline(false),
    ])
    await config.finished()
    await tab.evaluate(() => new Promise((resolve) => setTimeout(resolve)))
    t.equal(await tab.locator('#sign-up [name=username]').inputValue(), 'hana', 'no form is taken away')
    await press(tab, 'I have an account')
    await signIn(app, tab, account)

    await person.setOffline(true)
    await press(tab, 'Reload')
    await told(tab, /cannot be reached/)
    t.ok(await heading(tab, 'Hello, hana').isVisible(), 'and it signs no one out')
    await press(tab, 'Sign out')
    await shows(tab, 'Sign in')
    t.match(await told(tab, /signed out/, 'status'), /ends when this page is online/)
    await person.setOffline(false)
    await eventually('the session has ended', async () => {
      const { body } = await service.get('/sessions', account.accessToken)
      return body.sessions.length === 1
    })
    await eventually('nothing is kept', () => tab.evaluate(() => localStorage.length === 0))
  },
)

t.test('a question that is open goes with the session', inBrowser, async (t) => {
  const app = await openApp(t)
  const account = await enrol(app.service, 'nora')
  const tab = await app.openTab()
  await signIn(app, tab, account)
  await tab.reload()
  await tab.getByRole('button', { name: /^New recovery codes/ }).click()
  await tab.getByRole('dialog').waitFor()
  const other = await app.openTab()
  await press(other, 'Sign out')
  await shows(tab, 'Sign in')
  t.notOk(await tab.getByRole('dialog').isVisible())
  await signIn(app, tab, account)
})

t.test('a forgotten password is replaced by the token or the link of a mail', inBrowser, async (t) => {
  const app = await openApp(t)
  const { recoveryCodes } = await enrolByEmail(app.service, 'ivy')
  const tab = await app.openTab()
  await press(tab, 'Forgot your password?')
  await field(tab, 'Username').fill('ivy')
  await press(tab, 'Send a mail')
  await told(tab, /a mail is on its way/, 'status')
  await field(tab, 'Token from the mail').fill('x'.repeat(43))
  await field(tab, 'New password').fill('another horse battery')
  await press(tab, 'Set password')
  await told(tab, /start again/)

  const link = await app.openTab(`/#token=${await mailedToken(app.service, 'ivy')}`)
  await shows(link, 'Choose a new password')
  t.equal(new URL(link.url()).hash, '', 'the token is not left in the address')
  await field(link, 'New password').fill('password')
  await press(link, 'Set password')
  await link.getByText('too common').waitFor()
  await field(link, 'New password').fill('another horse battery')
  await press(link, 'Set password')
  // The mailbox is the only second factor here.
  await field(link, 'Recovery code').fill(String(recoveryCodes[0]))
  await press(link, 'Set password')
  await told(link, /password is changed/, 'status')
  await givePassword(link, 'ivy', 'another horse battery')
  await field(link, 'Code from the mail').waitFor()
})

t.test('what is wrong with a field stands at the field', inBrowser, async (t) => {
  const app = await openApp(t)
  const tab = await app.openTab()
  await signUp(tab, 'no one', { password: 'password' })
  const username = field(tab, 'Username')
  await tab.locator('#wrong-username').filter({ hasText: 'letters from A to Z' }).waitFor()
  t.equal(await username.getAttribute('aria-invalid'), 'true')
  t.equal(await username.getAttribute('aria-describedby'), 'wrong-username')
  t.equal(await username.evaluate((input) => input.matches(':focus')), true)

  await username.fill('Password')
  await press(tab, 'Create account')
  await tab.locator('#wrong-password').waitFor()
  t.strictSame(await tab.locator('#wrong-password li').allInnerTexts(), [
    'It is too common.',
    'It must not be your username.',
  ])
  t.equal(await username.getAttribute('aria-invalid'), null)
  await enrol(app.service, 'jack')
  await username.fill('jack')
  await field(tab, 'Password').fill(PASSWORD)
  await press(tab, 'Create account')
  await tab.locator('#wrong-username').filter({ hasText: 'This username is taken' }).waitFor()
})

t.test('a pause after wrong passwords is passed by a recovery code', inBrowser, async (t) => {
  const app = await openApp(t)
  const { recoveryCodes } = await enrol(app.service, 'kim')
  for (let tries = 0; tries < 10; tries++)
    await app.service.post('/login', { username: 'kim', password: 'wrong' })
  const tab = await app.openTab()
  await givePassword(tab, 'kim')
  t.match(await told(tab, /./), /^Too many failed attempts\. Try again in \d/)
  await field(tab, 'Recovery code').fill(String(recoveryCodes[0]))
  await press(tab, 'Sign in')
  await shows(tab, 'Hello, kim')
})

t.test('the page offers what the service offers', inBrowser, async (t) => {
  const app = await openApp(t)
  const response = await app.service.get('/config')
  const closed = { ...response.body, registration: 'closed', mail: { codes: false, reset: false } }
  await app.person.route('**/config', (route) =>
    route.fulfill({ json: closed, headers: { 'access-control-allow-origin': '*' } }),
  )
  const tab = await app.openTab()
  await shows(tab, 'Sign in')
  for (const name of ['Create an account', 'Forgot your password?'])
    t.equal(await tab.getByRole('button', { name }).isVisible(), false, name)
})
