// The fault: a statement fails in the middle of a request, whichever it is, on every route.
import t from 'tap'
import { cleanUp } from '../../src/upkeep/clean-up.ts'
import { failEachCall, failingCall } from '../helpers/faults/nth-call.ts'
import { deliver, enrolWithAddress, mailedToken } from '../helpers/people/mail.ts'
import { MORE_SCENARIOS, SCENARIOS, send } from '../helpers/people/scenarios.ts'
import { accountTokenFor, isAlive } from '../helpers/people/sessions.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { collectRoutes } from '../helpers/service/routes.ts'
import { enrol, PASSWORD, startService } from '../helpers/service/service.ts'

t.setTimeout(1_800_000)

/** These answer without the database, or say for some seconds what it did: readiness.test.ts and disk.test.ts. */
const WITHOUT = /^\/($|livez$|readyz$|config$|problems$|openapi\.|\.well-known\/|login\/passkey\/options$)/

t.test('there is a scenario for every route that needs the database', async (t) => {
  const { routes } = await collectRoutes(() => startService(t))
  const names = routes
    .filter(({ config, url }) => config?.guard && !WITHOUT.test(url))
    .flatMap(({ method, url }) => [method].flat().map((name) => `${name} ${url}`))
    .filter((name) => !name.startsWith('HEAD'))
  t.strictSame(names.sort(), Object.keys(SCENARIOS).sort())
})

for (const [route, scenario] of Object.entries({ ...SCENARIOS, ...MORE_SCENARIOS }))
  t.test(`${route}: each statement fails once`, (t) => failEachCall(t, route, scenario))

const MAILS = Object.fromEntries(
  ['POST /2fa/email', 'PUT /me/email'].map((route) => [route, SCENARIOS[route]] as const),
)

for (const [route, scenario] of Object.entries(MAILS))
  t.test(`${route}: the mail fails, and each statement besides`, async (t) => {
    const service = await startService(t, { mail: true })
    for (let n = 1, failed = true; failed; n += 1) {
      const request = (await scenario?.prepare(service, `ada-${n}`)) ?? {}
      service.smtp.behave({ refuse: ['data', 451] })
      const call = await failingCall(service, n, () => send(service, route, request))
      failed = call.failed
      t.match(outcomeOf(call.result), /^503 (unavailable|email_delivery_failed)$/, `statement ${n}`)
      t.strictSame(
        Object.keys(call.result.body).filter((name) => name.endsWith('_token')),
        [],
      )

      service.smtp.behave({})
      const before = service.smtp.mails.length
      if (request.token && route === 'PUT /me/email') {
        // The account token is used up with the first try, where that was committed before the mail was sent.
        const { status } = await service.put('/me/email', {}, request.token)
        if (status === 401) request.token = await accountTokenFor(service, request.token)
      }
      let again = await send(service, route, request)
      if (again.status === 429) {
        // The code could not be taken back: it waits until the next one may be asked for.
        t.ok(Number(again.headers['retry-after']) <= 60, 'a minute at most')
        service.clock.advance(60)
        again = await send(service, route, request)
      }
      t.equal(again.status, 202)
      t.equal(service.smtp.mails.length, before + 1)
    }
  })

t.test('a mail that waits goes out, whatever fails on its way', async (t) => {
  const service = await startService(t, { mail: true })
  for (let n = 1, failed = true; failed; n += 1) {
    const ada = await enrolWithAddress(service, `ada-${n}`)
    await service.post('/2fa/recovery-codes', undefined, await accountTokenFor(service, ada.accessToken))
    const before = service.smtp.mails.length
    const call = await failingCall(service, n, () => service.deps.outbox.deliverDue().catch(() => {}))
    failed = call.failed
    // The claim of the one that failed ends, or its wait.
    for (let minute = 0; minute < 3; minute += 1) {
      service.clock.advance(61)
      await deliver(service)
    }
    const mails = service.smtp.mails.slice(before)
    t.ok(mails.length >= 1, `statement ${n}: it came`)
    t.equal(
      new Set(mails.map(({ message }) => message.messageId)).size,
      1,
      'under one id, should it come twice',
    )
    t.strictSame(await service.db.selectFrom('outbox').selectAll().execute(), [])
  }
})

t.test('a reset token that waits to be mailed is made in the end, and one of them is good', async (t) => {
  const service = await startService(t, { mail: true })
  for (let n = 1, failed = true; failed; n += 1) {
    const username = `ada-${n}`
    await enrolWithAddress(service, username)
    await service.post('/password/forgot', { username })
    const call = await failingCall(service, n, () => service.deps.outbox.deliverDue().catch(() => {}))
    failed = call.failed
    service.clock.advance(120)
    await deliver(service)
    const good = () =>
      service.db.selectFrom('password_resets').selectAll().where('used_at', 'is', null).execute()
    t.ok((await good()).length <= 1, `statement ${n}`)
    service.clock.advance(3600)
    const token = await mailedToken(service, username)
    t.equal((await good()).filter(({ expires_at }) => expires_at > service.clock.now()).length, 1)
    const body = { token, new_password: 'staple in a haystack' }
    t.equal((await service.post('/password/reset', body)).status, 204)
  }
})

t.test('work in the background that fails is done at its next turn', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const { signingKeys } = service.deps
  await service.db.updateTable('challenges').set({ expires_at: 0 }).execute()
  for (const [name, work] of Object.entries({
    cleanUp: () => cleanUp(service.deps),
    maintain: () => signingKeys.maintain(),
    rotate: () => signingKeys.rotate(),
  }))
    for (let n = 1, failed = true; failed; n += 1) {
      const call = await failingCall(service, n, () =>
        work().then(
          () => 'done',
          () => 'failed',
        ),
      )
      failed = call.failed
      t.equal(call.result, failed ? 'failed' : 'done', `${name}, statement ${n}`)
      t.ok(await isAlive(service, ada.accessToken))
      t.equal((await service.post('/login', { username: 'ada', password: PASSWORD })).status, 200)
    }
})
