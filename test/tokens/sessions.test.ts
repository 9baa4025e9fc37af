import { randomUUID } from 'node:crypto'
import t from 'tap'
import { claimsOf, isAlive, refresh, signIn } from '../helpers/people/sessions.ts'
import { outcomeOf, tally, withoutRequestId } from '../helpers/requests/burst.ts'
import { enrol, startService } from '../helpers/service/service.ts'

const DAY = 24 * 3600

t.test('the list tells where the account is signed in, the session used last first', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const first = claimsOf(ada.accessToken).sid
  await enrol(service, 'grace')
  const phone = await signIn(service, ada, 'phone')
  const laptop = await signIn(service, ada, `laptop ${'x'.repeat(600)}`)
  service.clock.advance(60)
  await service.post('/token/refresh', { refresh_token: phone.refreshToken }, undefined, {
    remoteAddress: '203.0.113.9',
    headers: { 'user-agent': 'phone on the road' },
  })

  const { status, headers, body } = await service.get('/sessions', laptop.accessToken)
  t.equal(status, 200)
  t.equal(headers['cache-control'], 'no-store')
  t.strictSame(body, {
    sessions: [
      {
        id: phone.sessionId,
        created_at: '2026-11-21T09:30:30.000Z',
        last_used_at: '2026-11-21T09:32:00.000Z',
        ip: '203.0.113.9',
        user_agent: 'phone on the road',
        amr: ['pwd', 'otp', 'mfa'],
        refresh_repeated_at: null,
        current: false,
      },
      {
        id: laptop.sessionId,
        created_at: '2026-11-21T09:31:00.000Z',
        last_used_at: '2026-11-21T09:31:00.000Z',
        ip: '127.0.0.1',
        user_agent: `laptop ${'x'.repeat(249)}`,
        amr: ['pwd', 'otp', 'mfa'],
        refresh_repeated_at: null,
        current: true,
      },
      {
        id: first,
        created_at: '2026-11-21T09:30:00.000Z',
        last_used_at: '2026-11-21T09:30:00.000Z',
        ip: '127.0.0.1',
        user_agent: 'lightMyRequest',
        amr: ['pwd', 'otp', 'mfa'],
        refresh_repeated_at: null,
        current: false,
      },
    ],
    next: null,
  })
})

t.test('the list has live sessions only', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const { accessToken: ended } = await signIn(service, ada)
  await service.post('/logout', undefined, ended)
  service.clock.advance(30 * DAY)
  const current = await signIn(service, ada)
  const { body } = await service.get('/sessions', current.accessToken)
  t.strictSame(
    body.sessions.map(({ id }: { id: string }) => id),
    [current.sessionId],
  )
})

t.test('a logout ends this session and no other', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const other = await signIn(service, ada)
  const { status, text } = await service.post('/logout', undefined, ada.accessToken)
  t.strictSame([status, text], [204, ''])
  t.notOk(await isAlive(service, ada.accessToken))
  t.equal(outcomeOf(await refresh(service, ada.refreshToken)), '401 invalid_refresh_token')
  t.equal(outcomeOf(await service.post('/logout', undefined, ada.accessToken)), '401 invalid_token')
  t.ok(await isAlive(service, other.accessToken))
  t.equal((await refresh(service, other.refreshToken)).status, 200)
})

t.test(
  'a refresh does not bring back a session that was ended between its request and its retry',
  async (t) => {
    const service = await startService(t)
    const ada = await enrol(service)
    const { body } = await refresh(service, ada.refreshToken)
    await service.post('/logout', undefined, body.access_token)
    for (const token of [ada.refreshToken, body.refresh_token])
      t.equal(outcomeOf(await refresh(service, token)), '401 invalid_refresh_token')
  },
)

t.test('an owner ends one session of theirs', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const lost = await signIn(service, ada)
  t.equal((await service.delete(`/sessions/${lost.sessionId}`, ada.accessToken)).status, 204)
  t.notOk(await isAlive(service, lost.accessToken))
  t.equal(outcomeOf(await refresh(service, lost.refreshToken)), '401 invalid_refresh_token')
  t.ok(await isAlive(service, ada.accessToken))

  const own = claimsOf(ada.accessToken).sid
  t.equal((await service.delete(`/sessions/${own}`, ada.accessToken)).status, 204, 'their own as well')
  t.notOk(await isAlive(service, ada.accessToken))
})

// Broken object level authorization (OWASP API1:2023): the id of somebody else's session must be worth nothing,
// not even the knowledge that there is such a session.
t.test('no one ends the session of another account, or learns that it exists', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const ended = await signIn(service, ada)
  await service.delete(`/sessions/${ended.sessionId}`, ada.accessToken)
  const mallory = await enrol(service, 'mallory')

  const ids = [claimsOf(ada.accessToken).sid, ended.sessionId, randomUUID(), 'x', '%00', "' or 1=1 --"]
  const answers = []
  for (const id of ids)
    answers.push(await service.delete(`/sessions/${encodeURIComponent(id)}`, mallory.accessToken))
  answers.push(await service.delete(`/sessions/${ended.sessionId}`, ada.accessToken))
  t.strictSame(tally(answers), { '404 not_found': answers.length })
  t.equal(new Set(answers.map((answer) => JSON.stringify(withoutRequestId(answer)))).size, 1)
  t.ok(await isAlive(service, ada.accessToken), 'the session goes on')
})

t.test('an owner ends all other sessions at once', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const grace = await enrol(service, 'grace')
  const [one, two] = [await signIn(service, ada), await signIn(service, ada)]
  t.equal((await service.delete('/sessions', one.accessToken)).status, 204)
  t.ok(await isAlive(service, one.accessToken))
  t.equal((await refresh(service, one.refreshToken)).status, 200)
  for (const { accessToken, refreshToken } of [ada, two]) {
    t.notOk(await isAlive(service, accessToken))
    t.equal(outcomeOf(await refresh(service, refreshToken)), '401 invalid_refresh_token')
  }
  t.ok(await isAlive(service, grace.accessToken), 'of this account only')
  t.equal((await service.delete('/sessions', one.accessToken)).status, 204, 'even when there is no other')
})

t.test('an ended session is dead at once in every process, and stays dead over a restart', async (t) => {
  const service = await startService(t)
  const options = { databaseUrl: service.databaseUrl, clock: service.clock }
  const second = await startService(t, options)
  const ada = await enrol(service)
  const lost = await signIn(service, ada)
  t.ok(await isAlive(second, lost.accessToken))

  await service.delete(`/sessions/${lost.sessionId}`, ada.accessToken)
  await service.close()
  for (const process of [second, await startService(t, options)]) {
    t.notOk(await isAlive(process, lost.accessToken))
    t.equal(outcomeOf(await refresh(process, lost.refreshToken)), '401 invalid_refresh_token')
    t.ok(await isAlive(process, ada.accessToken))
  }
})
