import t from 'tap'
import { totp } from '../helpers/people/totp.ts'
import { browserMissing, oneBrowser } from '../helpers/programs/browser.ts'
import { readPng } from '../helpers/programs/qr-reader.ts'
import { openSwaggerUi } from '../helpers/programs/swagger-ui.ts'
import { register, startService } from '../helpers/service/service.ts'

const browser = oneBrowser(t)

t.test(
  'in Swagger UI a newcomer goes the whole way from /register to /me, and the page carries the tokens',
  { skip: browserMissing },
  async (t) => {
    const service = await startService(t)
    await register(service, 'ada')
    const origin = await service.app.listen({ host: '127.0.0.1', port: 0 })
    const ui = await openSwaggerUi(t, await browser(), `${origin}/docs`)
    const first = ui.page.locator('.opblock-tag-section').first()
    t.strictSame(await first.locator('.opblock-summary-path').allInnerTexts(), [
      '/register',
      '/login',
      '/2fa/setup',
      '/2fa/verify',
    ])

    // As the page fills it in: the quick start's ada is taken.
    const registered = await ui.executeJson('register')
    t.match(registered, { mfa_required: true, enrolled: false, user: { username: /^ada-\d+$/ } })
    const { username } = registered.user as unknown as { username: string }
    const operation = await ui.execute('setUpTotp')
    const picture = operation.locator('.live-responses-table img')
    await picture.waitFor()
    const scanned = readPng(await picture.screenshot()) ?? ''
    t.ok(
      scanned.startsWith(`otpauth://totp/Keyturn:${username}?`),
      'the QR code on the screen can be scanned',
    )
    const secret = new URL(scanned).searchParams.get('secret') ?? ''

    const verified = await ui.executeJson('verifyCode', { body: { code: totp(secret, service.clock.now()) } })
    t.match(verified, { token_type: 'Bearer', recovery_codes: Array })
    t.match(await ui.executeJson('getMe'), { username, two_factor_enabled: true })
    t.ok(ui.actions() <= 10, `in ${ui.actions()} actions`)

    t.same(ui.complaints, [], 'no error on the console, no violation of the Content-Security-Policy')
    t.same(ui.foreignRequests, [], 'nothing is fetched from another host')
  },
)

// CVE-2018-25031: a link to an honest /docs makes it show, and send tokens to, a document of the attacker's.
t.test('a link cannot make Swagger UI load a foreign document', { skip: browserMissing }, async (t) => {
  const service = await startService(t)
  const origin = await service.app.listen({ host: '127.0.0.1', port: 0 })
  const foreign = 'http://foreign.test/openapi.json'
  const ui = await openSwaggerUi(t, await browser(), `${origin}/docs?url=${foreign}&config=${foreign}`)

  t.match(await ui.page.locator('.info .title').innerText(), /^Keyturn/)
  t.same(ui.foreignRequests, [])
  t.same(ui.complaints, [], 'nor was one only stopped by the Content-Security-Policy')
})

t.test('the pages of Swagger UI allow no inline script or style, and nothing from elsewhere', async (t) => {
  const service = await startService(t)
  for (const path of ['/docs', '/docs/', '/docs/static/swagger-initializer.js']) {
    const { status, headers } = await service.get(path)
    t.equal(status, 200, path)
    const policy = String(headers['content-security-policy'])
    t.match(policy, "default-src 'none'")
    t.match(policy, "script-src 'self';")
    t.match(policy, "style-src 'self';")
    t.match(policy, "frame-ancestors 'none'")
    t.notMatch(policy, /unsafe|\*|https?:/)
  }
})

t.test('with DOCS=off there is no Swagger UI, and the document is served still', async (t) => {
  const service = await startService(t, { environment: { DOCS: 'off' } })
  t.equal((await service.get('/docs')).status, 404)
  t.equal((await service.get('/docs/static/index.css')).status, 404)
  t.equal((await service.get('/openapi.json')).status, 200)
})
