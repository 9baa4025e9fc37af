import type { Browser, Locator, Page } from 'playwright-core'
import type { Test } from 'tap'
import { newPerson, type Watched, watchPage } from './browser.ts'

/** Swagger UI in a browser, driven the way a person does it. */
export interface SwaggerUi extends Watched {
  page: Page
  reload(): Promise<void>
  /** What a person did to come this far: clicks and fields filled in. */
  actions(): number
  /** Opens an operation, fills its body in, sends it. @returns its part of the page, with the answer. */
  execute(operationId: string, options?: { body?: unknown; mediaType?: string }): Promise<Locator>
  /** The same, and reads the answer as JSON. */
  executeJson(operationId: string, options?: { body?: unknown }): Promise<Record<string, string>>
  /** Puts a token into the "Authorize" dialog. */
  authorize(scheme: string, token: string): Promise<void>
  /** Takes it out again. */
  forget(scheme: string): Promise<void>
}

/** Waits until a page that was loaded shows its document. */
export const shown = (page: Page) => page.locator('.opblock').first().waitFor()

/** @param kept what the page has kept from before. */
export async function openSwaggerUi(
  t: Test,
  browser: Browser,
  url: string,
  kept?: Readonly<Record<string, string>>,
): Promise<SwaggerUi> {
  const page = await (await newPerson(t, browser)).newPage()
  const { origin } = new URL(url)
  const watched = watchPage(page, [origin])
  if (kept) {
    // Any other page of the service shares its storage, and shows itself at once.
    await page.goto(`${origin}/livez`)
    await page.evaluate(`sessionStorage.setItem('keyturn-tokens', '${JSON.stringify(kept)}')`)
  }
  await page.goto(url)
  await shown(page)

  let actions = 0
  const act = (done: Promise<unknown>) => {
    actions += 1
    return done
  }
  const execute: SwaggerUi['execute'] = async (operationId, { body, mediaType } = {}) => {
    const operation = page.locator(`.opblock[id$="-${operationId}"]`)
    if (!(await operation.locator('.execute').isVisible()))
      await act(operation.locator('.opblock-summary-control').click())
    if (body !== undefined)
      await act(operation.locator('textarea.body-param__text').fill(JSON.stringify(body)))
    if (mediaType)
      await act(operation.locator('.responses-wrapper select.content-type').first().selectOption(mediaType))
    const answered = page.waitForResponse((response) => response.request().method() !== 'OPTIONS')
    await act(operation.locator('.execute').click())
    await (await answered).finished()
    await operation.locator('.live-responses-table tr.response').waitFor()
    return operation
  }

  return {
    ...watched,
    page,
    async reload() {
      await page.reload()
      await shown(page)
    },
    actions: () => actions,
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

    async forget(scheme) {
      await page.locator('.auth-wrapper .authorize').click()
      await page
        .locator('.auth-container', { hasText: scheme })
        .locator('button', { hasText: 'Logout' })
        .click()
      await page.locator('.modal-ux .close-modal').click()
    },
  }
}
