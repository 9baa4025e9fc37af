import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BrowserContext, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { example } from '../helpers/documents/examples.ts'
import { totp } from '../helpers/people/totp.ts'
import { browserMissing, openBrowser, watchPage } from '../helpers/programs/browser.ts'
import { readPng } from '../helpers/programs/qr-reader.ts'
import { startListening } from '../helpers/service/listening.ts'
import { PASSWORD, type Service } from '../helpers/service/service.ts'

/** The example of a single-page app is what web developers copy: on an origin of its own, in a real browser. */

const ACCESS_TTL = 600

interface App {
  service: Service
  browser: BrowserContext
  /** A tab with the app, watched for complaints. */
  openTab(): Promise<Page>
  complaints: string[]
  foreignRequests: string[]
  /** How often this path was asked for in all tabs, without the preflights. */
  calls(path: string): number
  /** Lets time go by, here and there. */
  advance(seconds: number): Promise<void>
}

async function openApp(t: Test): Promise<App> {
  let html = ''
  const server = createServer((_request, response) =>
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const service = await startListening(t, { environment: { CORS_ORIGINS: origin } })
  html = example('single-page-app.html', service.issuer)

  const browser = await openBrowser(t)
  await browser.clock.install({ time: service.clock.now() })
  const asked: string[] = []
  browser.on('request', (request) => {
    if (request.method() !== 'OPTIONS') asked.push(new URL(request.url()).pathname)
  })
  const complaints: string[] = []
  const foreignRequests: string[] = []
  return {
    ...{ service, browser, complaints, foreignRequests },
    calls: (path) => asked.filter((one) => one === path).length,
    async openTab() {
      const page = await browser.newPage()
      const watched = watchPage(page, [origin, service.issuer])
      page.on('close', () => {
        complaints.push(...watched.complaints)
        foreignRequests.push(...watched.foreignRequests)
      })
      await page.goto(origin)
      return page
    },
    async advance(seconds) {
      service.clock.advance(seconds)
      await browser.clock.fastForward(seconds * 1000)
    },
  }
}

/** Fills in the form with the password and presses one of its buttons. */
async function givePassword(tab: Page, button: string): Promise<void> {
  await tab.getByLabel('Username').fill('ada')
  await tab.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await tab.getByRole('button', { name: button, exact: true }).click()
}

async function giveCode(tab: Page, code: string): Promise<void> {
  await tab.getByLabel('Code', { exact: true }).fill(code)
  await tab.getByRole('button', { name: 'Go on' }).click()
}

const greeting = (tab: Page) => tab.getByRole('heading', { name: 'Hello, ada' })
const signInForm = (tab: Page) => tab.getByRole('heading', { name: 'Sign in' })

/** Makes an account by scanning what is on the screen. @returns the secret of the authenticator. */
async function makeAccount(tab: Page, { clock }: Service): Promise<string> {
  await givePassword(tab, 'Make an account')
  const picture = tab.getByAltText('QR code')
  await picture.waitFor()
  const scanned = readPng(await picture.screenshot()) ?? ''
  const secret = new URL(scanned).searchParams.get('secret') ?? ''
  await giveCode(tab, totp(secret, clock.now()))
  await greeting(tab).waitFor()
  return secret
}

async function askAtOnce(tabs: Page[]): Promise<void> {
  const answered = tabs.map((tab) => tab.waitForResponse((response) => response.url().endsWith('/me')))
  await Promise.all(tabs.map((tab) => tab.getByRole('button', { name: 'Ask who I am' }).click()))
  await Promise.all(answered)
}

t.test(
  'a single-page app registers, scans, refreshes in two tabs at once, signs out and in again, over CORS',
  { skip: browserMissing },
  async (t) => {
    const app = await openApp(t)
    const { service } = app
    const first = await app.openTab()
    const secret = await makeAccount(first, service)
    t.equal(await first.locator('#recovery li').count(), 10, 'the recovery codes are shown')

    const second = await app.openTab()
    await greeting(second).waitFor()
    t.pass('a second tab is signed in too')

    await app.advance(ACCESS_TTL + 1)
    await askAtOnce([first, second])
    // One tab renews for both, unless the other does not see yet what it has written.
    t.ok([1, 2].includes(app.calls('/token/refresh')))
    t.ok((await greeting(first).isVisible()) && (await greeting(second).isVisible()), 'nobody was signed out')

    await first.getByRole('button', { name: 'Sign out' }).click()
    await signInForm(first).waitFor()
    await signInForm(second).waitFor()
    t.pass('signing out in one tab is signing out in all')
    t.equal(await second.evaluate(() => JSON.stringify(localStorage)), '{}')

    await app.advance(30)
    await givePassword(second, 'Sign in')
    await giveCode(second, totp(secret, service.clock.now()))
    await greeting(second).waitFor()
    await greeting(first).waitFor()
    t.pass('and in again')

    for (const tab of [first, second]) await tab.close()
    t.strictSame(app.complaints, [], 'no error on the console')
    t.strictSame(app.foreignRequests, [], 'nothing is fetched from anywhere else')
  },
)

t.test(
  'where a browser has no locks, two tabs that refresh at once both stay signed in',
  { skip: browserMissing },
  async (t) => {
    const app = await openApp(t)
    await app.browser.addInitScript(
      'Object.defineProperty(Navigator.prototype, "locks", { value: undefined })',
    )
    const first = await app.openTab()
    await makeAccount(first, app.service)
    const second = await app.openTab()
    await greeting(second).waitFor()

    // Neither is answered before both have asked.
    const held: (() => void)[] = []
    await app.browser.route('**/token/refresh', async (route) => {
      if (route.request().method() === 'POST') {
        if (held.length === 0) await new Promise<void>((resolve) => held.push(resolve))
        else for (const release of held) release()
      }
      await route.continue()
    })
    for (let round = 1; round <= 2; round++) {
      await app.advance(ACCESS_TTL + 1)
      held.length = 0
      await askAtOnce([first, second])
      t.equal(app.calls('/token/refresh'), 2 * round)
      t.ok(
        (await greeting(first).isVisible()) && (await greeting(second).isVisible()),
        'nobody was signed out',
      )
    }
    for (const tab of [first, second]) await tab.close()
    t.strictSame(app.complaints, [])
  },
)

t.test('what goes wrong is told to the person', { skip: browserMissing }, async (t) => {
  const app = await openApp(t)
  const tab = await app.openTab()
  await makeAccount(tab, app.service)
  await tab.getByRole('button', { name: 'Sign out' }).click()
  await givePassword(tab, 'Sign in')
  for (let tries = 0; tries < 5; tries++) {
    await giveCode(tab, '000000')
    await tab.getByRole('alert').filter({ hasText: 'code' }).waitFor()
  }
  await giveCode(tab, '000000')
  await signInForm(tab).waitFor()
  t.pass('after five wrong codes the password is asked for again')
  await tab.getByLabel('Username').fill('ada')
  await tab.getByLabel('Password', { exact: true }).fill('wrong')
  await tab.getByRole('button', { name: 'Sign in', exact: true }).click()
  t.match(
    await tab
      .getByRole('alert')
      .filter({ hasText: /password/i })
      .innerText(),
    /./,
  )
})
