import { existsSync } from 'node:fs'
import { type Browser, chromium, type Locator, type Page } from 'playwright-core'
import type { Test } from 'tap'

const CHROMIUM = '/usr/bin/chromium'

/** Why the browser tests cannot run here; `false` where they can. */
export const browserMissing = existsSync(CHROMIUM)
  ? false
  : `${CHROMIUM} is missing, so no browser test runs: apt-get install chromium`

const LAUNCH_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Swagger UI in a browser, driven the way a person does it. */
export interface SwaggerUi {
  page: Page
  /** What the page asked for at other hosts. */
  foreignRequests: string[]
  /** What the console complained about, violations of the Content-Security-Policy among it. */
  complaints: string[]
  /** Opens an operation, fills its body in, sends it. @returns its part of the page, with the answer. */
  execute(operationId: string, options?: { body?: unknown; mediaType?: string }): Promise<Locator>
  /** The same, and reads the answer as JSON. */
  executeJson(operationId: string, options?: { body?: unknown }): Promise<Record<string, string>>
  /** Puts a token into the "Authorize" dialog. */
  authorize(scheme: string, token: string): Promise<void>
}

export async function openSwaggerUi(t: Test, url: string): Promise<SwaggerUi> {
  const browser: Browser = await chromium.launch({ executablePath: CHROMIUM, args: LAUNCH_ARGUMENTS })
  t.teardown(() => browser.close())
  const page = await browser.newPage({ viewport: { width: 1200, height: 1000 } })
  page.setDefaultTimeout(15_000)

  const foreignRequests: string[] = []
  const complaints: string[] = []
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    if (protocol.startsWith('http') && origin !== new URL(url).origin) foreignRequests.push(request.url())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })

  await page.goto(url, { waitUntil: 'networkidle' })

  const execute: SwaggerUi['execute'] = async (operationId, { body, mediaType } = {}) => {
    const operation = page.locator(`.opblock[id$="-${operationId}"]`)
    if (!(await operation.locator('.execute').isVisible()))
      await operation.locator('.opblock-summary-control').click()
    if (body !== undefined) await operation.locator('textarea.body-param__text').fill(JSON.stringify(body))
    if (mediaType)
      await operation.locator('.responses-wrapper select.content-type').first().selectOption(mediaType)
    const answered = page.waitForResponse((response) => response.request().method() !== 'OPTIONS')
    await operation.locator('.execute').click()
    await (await answered).finished()
    await operation.locator('.live-responses-table tr.response').waitFor()
    return operation
  }

  return {
    page,
    foreignRequests,
    complaints,
    execute,

    async executeJson(operationId, options) {
      const answer = await execute(operationId, options)
      const text = await answer.locator('.live-responses-table .highlight-code code').first().innerText()
      return JSON.parse(text)
    },

    async authorize(scheme, token) {
      await page.locator('.auth-wrapper .authorize').click()
      const form = page.locator('.auth-container', { hasText: scheme })
      await form.locator('input').fill(token)
      await form.locator('button.authorize').click()
      await form.locator('button', { hasText: 'Logout' }).waitFor()
      await page.locator('.modal-ux .close-modal').click()
    },
  }
}
