import t from 'tap'
import { browserMissing, oneBrowser } from '../helpers/programs/browser.ts'
import { openSwaggerUi, shown } from '../helpers/programs/swagger-ui.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { enrol, startService } from '../helpers/service/service.ts'

// Swagger UI takes seconds for each page and each operation that is opened.

const browser = oneBrowser(t)

t.test(
  'what the page has kept is there after a reload, in this tab alone, and fits a phone',
  { skip: browserMissing },
  async (t) => {
    const service = await startService(t)
    const { username, accessToken, refreshToken } = await enrol(service)
    const origin = await service.app.listen({ host: '127.0.0.1', port: 0 })
    const kept = { username, accessToken, refreshToken }
    const ui = await openSwaggerUi(t, await browser(), `${origin}/docs`, kept)
    t.match(
      await ui.executeJson('refreshToken'),
      { token_type: 'Bearer' },
      'the refresh token is in the body',
    )
    await ui.reload()
    t.match(await ui.executeJson('getMe'), { username }, 'a reload forgets no token')
    t.match(await ui.executeJson('login'), { enrolled: true }, 'and no name')
    const other = await ui.page.context().newPage()
    await other.goto(`${origin}/docs`)
    await shown(other)
    t.equal(await other.evaluate('sessionStorage.length'), 0, 'another tab has neither')

    const refusal = ui.page.locator('.opblock[id$="-getMe"] tr.response[data-code="401"]')
    await ui.page.setViewportSize({ width: 390, height: 844 })
    const words = await refusal.locator('.keyturn-folded .renderedMarkdown').boundingBox()
    t.ok(words && words.width > 150, 'what an error means is not squeezed on a phone')
    await refusal.getByRole('button', { name: 'Example' }).click()
    const example = await refusal.locator('.highlight-code code').innerText()
    t.match(JSON.parse(example), { code: 'invalid_token', status: 401 }, 'error answers are resolved')

    const ways = ui.page.locator('.opblock[id$="-verifyCode"]')
    await ways.locator('.opblock-summary-control').click()
    await ways.locator('.opblock-section-request-body .examples-select-element').selectOption('recovery_code')
    const body = await ways.locator('textarea.body-param__text').inputValue()
    t.match(JSON.parse(body), { method: 'recovery_code' }, 'each way has its example')

    t.same(ui.complaints, [], 'no error on the console, no violation of the Content-Security-Policy')
    t.same(ui.foreignRequests, [], 'nothing is fetched from another host')
  },
)

t.test(
  'what "Authorize" and "Logout" are told outlives a reload, also on a dark page',
  { skip: browserMissing },
  async (t) => {
    const service = await startService(t)
    const { accessToken, refreshToken } = await enrol(service)
    const origin = await service.app.listen({ host: '127.0.0.1', port: 0 })
    const ui = await openSwaggerUi(t, await browser(), `${origin}/docs`, { refreshToken })
    const kept = () => ui.page.evaluate<string>("sessionStorage.getItem('keyturn-tokens')")
    await ui.authorize('accessToken', accessToken)
    const { username, ...tokens } = JSON.parse(await kept())
    t.strictSame(tokens, { accessToken, refreshToken })
    await ui.reload()
    t.match(await ui.executeJson('getMe'), { username: 'ada' })
    const isDark = async () =>
      Boolean(await ui.page.evaluate('document.documentElement.classList.contains("dark-mode")'))
    t.equal(await isDark(), false)
    await ui.page.emulateMedia({ colorScheme: 'dark' })
    await eventually('it is dark as the system is', isDark)
    await ui.page.locator('.opblock[id$="-setUpTotp"] .opblock-summary-control').click()
    const label = '.opblock-section-request-body .examples-select__section-label'
    await ui.page.locator(label).first().waitFor()
    const ink = await ui.page.evaluate<string>(`getComputedStyle(document.querySelector('${label}')).color`)
    t.ok(Number(/\d+/.exec(ink)) > 200, `the words above an example are light on it: ${ink}`)
    await ui.forget('accessToken')
    t.strictSame(JSON.parse(await kept()), { username }, 'the refresh token of the session goes with it')
    await ui.reload()
    t.match(await ui.executeJson('getMe'), { code: 'invalid_token' })
  },
)
