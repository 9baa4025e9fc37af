import t from 'tap'
import { oauthCodes, problemCodes } from '../../src/errors.ts'
import { accountTokenFor } from '../helpers/people/sessions.ts'
import { browserMissing, openBrowser, watchPage } from '../helpers/programs/browser.ts'
import { enrol, login, PASSWORD, register, startService } from '../helpers/service/service.ts'

/** An app shows a sentence to its user, or makes its own from a code; and a developer finds what a code means. */

t.test('each fault of a form has a code, its bounds, and a sentence that can be shown', async (t) => {
  const service = await startService(t)
  const faultsOf = async (body: object) => {
    const { detail, errors } = (await service.post('/register', body)).body
    t.equal(detail, errors[0].detail, 'the first one is the detail')
    return errors
  }
  const good = { username: 'ada', password: PASSWORD }
  t.strictSame(await faultsOf({ password: PASSWORD }), [
    { pointer: '/username', code: 'required', detail: 'The username is missing.' },
  ])
  t.strictSame(await faultsOf({ ...good, username: 'ab' }), [
    {
      pointer: '/username',
      code: 'too_short',
      detail: 'The username must have at least 3 characters.',
      min: 3,
    },
  ])
  t.strictSame(await faultsOf({ ...good, password: 'a'.repeat(129) }), [
    {
      pointer: '/password',
      code: 'too_long',
      detail: 'The password can have at most 128 characters.',
      max: 128,
    },
  ])
  t.match(await faultsOf({ ...good, username: 'a da' }), [{ code: 'pattern', detail: /letters from A to Z/ }])
  t.match(await faultsOf({ ...good, email: 'nowhere' }), [
    { code: 'pattern', detail: 'The email address must be a name, an @ and a domain.' },
  ])
  t.match(await faultsOf({ ...good, password: 5 }), [
    { code: 'type', detail: 'The password is of the wrong type.' },
  ])
  t.match(await faultsOf({ ...good, e_mail: 'x' }), [
    { pointer: '/e_mail', code: 'unknown_member', detail: '"e_mail" is not accepted here.' },
  ])
})

t.test('a token that was good once says why it is not any more', async (t) => {
  const service = await startService(t)
  const reasonOf = async (path: string, token: string, body?: object) =>
    (body ? await service.post(path, body, token) : await service.get(path, token)).body.reason
  const { mfaToken } = await register(service, 'grace')
  t.equal(await reasonOf('/me', mfaToken), 'wrong_kind')
  const ada = await enrol(service)
  const accountToken = await accountTokenFor(service, ada.accessToken)
  const change = { current_password: PASSWORD, new_password: 'staple in a haystack' }
  t.equal((await service.post('/password/change', change, accountToken)).status, 200)
  t.equal(await reasonOf('/me', ada.accessToken), 'ended')
  service.clock.advance(301)
  t.equal(await reasonOf('/2fa/setup', mfaToken, {}), 'expired')
  t.equal(await reasonOf('/me', 'a.b.c'), undefined)
})

t.test('an mfa token that was used up says so', async (t) => {
  const service = await startService(t)
  const { mfaToken } = await register(service)
  await service.post('/2fa/setup', undefined, mfaToken)
  for (let wrong = 0; wrong < 5; wrong += 1) await service.post('/2fa/verify', { code: '000000' }, mfaToken)
  t.match(await service.post('/2fa/verify', { code: '000000' }, mfaToken), {
    status: 401,
    body: { reason: 'used', detail: /Sign in again/ },
  })
})

t.test('only who typed a code of an authenticator app is told of a clock', async (t) => {
  const service = await startService(t)
  await enrol(service)
  const tried = async (body: object) =>
    (await service.post('/2fa/verify', body, await login(service))).body.detail
  t.match(await tried({ code: '000000' }), /check the clock/)
  const recoveryCode = 'AAAA-AAAA-AAAA-AAAA-AAAA-AAAA'
  const typed = 'The code is wrong, expired or used. Check what you typed.'
  t.equal(await tried({ code: recoveryCode, method: 'recovery_code' }), typed)
  const atOnce = { username: 'ada', password: PASSWORD, recovery_code: recoveryCode }
  t.equal((await service.post('/login', atOnce)).body.detail, typed)
})

t.test('a body that is no object is called the body', async (t) => {
  const service = await startService(t)
  const headers = { 'content-type': 'application/json' }
  for (const payload of ['null', '[]', '1'])
    t.match(await service.post('/login', undefined, undefined, { payload, headers }), {
      status: 400,
      body: { detail: 'The body is of the wrong type.', errors: [{ pointer: '', code: 'type' }] },
    })
})

t.test('without a body, the first member that must be there is missing', async (t) => {
  const service = await startService(t)
  t.match(await service.post('/login'), {
    status: 400,
    body: { detail: 'The username is missing.', errors: [{ pointer: '/username', code: 'required' }] },
  })
  await register(service)
  t.match((await service.post('/2fa/verify', undefined, await login(service))).body, {
    detail: 'The code is missing.',
    errors: [{ pointer: '/code', code: 'required' }],
  })
})

t.test('how long to wait stands in the body too', async (t) => {
  const service = await startService(t, { environment: { RATE_LIMIT: 'on' } })
  const login = () => service.post('/login', { username: 'nobody', password: PASSWORD })
  let answer = await login()
  while (answer.status !== 429) answer = await login()
  t.equal(answer.body.retry_after, Number(answer.headers['retry-after']))
})

t.test('the type of a problem leads to what it means', async (t) => {
  const environment = { ISSUER: 'https://id.example.com/auth', CORS_ORIGINS: 'https://app.example.com' }
  const service = await startService(t, { environment })
  const { type } = (await service.get('/me')).body
  t.equal(type, 'https://id.example.com/auth/problems#invalid_token')
  const json = await service.get('/problems')
  t.equal(json.headers['cache-control'], 'public, max-age=3600')
  const { problems } = json.body
  t.strictSame(
    problems.map(({ code }: { code: string }) => code),
    [...problemCodes, ...oauthCodes],
  )
  for (const { code, title, meaning } of problems) t.ok(title && meaning, code)
  const page = await service.get('/problems', undefined, { headers: { accept: 'text/html,*/*;q=0.8' } })
  t.match(page.headers, {
    'content-type': 'text/html; charset=utf-8',
    vary: /^Origin, Accept, Accept-Encoding$/i,
  })
  for (const { code } of problems) t.ok(page.text.includes(`<section id="${code}">`), code)
})

t.test('a browser shows the page with its style', { skip: browserMissing }, async (t) => {
  const service = await startService(t)
  const origin = await service.app.listen({ host: '127.0.0.1', port: 0 })
  const page = await (await openBrowser(t)).newPage()
  const { complaints } = watchPage(page, [origin])
  await page.goto(`${origin}/problems#invalid_code`)
  t.equal(await page.locator('#invalid_code h2').innerText(), 'invalid_code 422')
  t.match(await page.evaluate('getComputedStyle(document.body).maxWidth'), '704px')
  t.same(complaints, [])
})
