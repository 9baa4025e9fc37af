import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { inPlaceOfTheOld } from '../helpers/people/factors.ts'
import {
  accountTokenFor,
  claimsOf,
  isAlive,
  refresh,
  signedInBy,
  signIn,
} from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { addChallenges, addSessions, addUsedTokens, greatestSteps } from '../helpers/service/many-rows.ts'
import { enrol, PASSWORD, type Service, startService } from '../helpers/service/service.ts'

/** One account, whatever its owner does, is no more work for the service than any other. */

const BATCH = 500

/** A service in which sessions are made without any sign-in. */
const seeded = (t: Test) =>
  startService(t, { environment: { MFA_POLICY: 'optional' }, spared: ['factorsWereShown'] })

async function liveSessions({ db, clock }: Service, accountId: string): Promise<number> {
  const rows = await db
    .selectFrom('sessions')
    .select('id')
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    .where('idle_expires_at', '>', clock.now())
    .execute()
  return rows.length
}

const eventsOf = async (service: Service, accessToken: string, name: string) =>
  (await service.get('/me/events?limit=100', accessToken)).body.events.filter(
    ({ event }: { event: string }) => event === name,
  )

t.test('the session unused longest gives way to one too many, and its owner can see it', async (t) => {
  const service = await startService(t, { environment: { MAX_SESSIONS: '3' } })
  const ada = await enrol(service)
  const grace = await enrol(service, 'grace')
  const second = await signIn(service, ada)
  const third = await signIn(service, ada)
  service.clock.advance(60)
  const used = signedInBy(await refresh(service, ada.refreshToken))
  t.equal(await liveSessions(service, ada.id), 3)

  const fourth = await signIn(service, ada)
  t.notOk(await isAlive(service, second.accessToken), 'not the oldest, but the one unused longest')
  t.equal(outcomeOf(await refresh(service, second.refreshToken)), '401 invalid_refresh_token')
  for (const { accessToken } of [used, third, fourth]) t.ok(await isAlive(service, accessToken))
  t.ok(await isAlive(service, grace.accessToken), 'of this account alone')
  t.match(await eventsOf(service, fourth.accessToken, 'session_displaced'), [
    { outcome: 'success', actor: 'client', session_id: second.sessionId },
  ])
})

t.test('a session that has ended or expired takes no place', async (t) => {
  const service = await startService(t, { environment: { MAX_SESSIONS: '2' } })
  const ada = await enrol(service)
  const second = await signIn(service, ada)
  await service.post('/logout', undefined, ada.accessToken)
  const third = await signIn(service, ada)
  t.ok(await isAlive(service, second.accessToken))
  service.clock.advance(31 * 24 * 3600)
  const fourth = await signIn(service, ada)
  const fifth = await signIn(service, ada)
  t.ok(await isAlive(service, fourth.accessToken))
  t.strictSame(await eventsOf(service, fifth.accessToken, 'session_displaced'), [])
  t.notOk(await isAlive(service, third.accessToken))
})

t.test('a burst of sign-ins does not get past the limit', async (t) => {
  const service = await startService(t, { environment: { MAX_SESSIONS: '3', MFA_POLICY: 'optional' } })
  const body = { username: 'ada', password: `${PASSWORD} of mine` }
  const { user } = (await service.post('/register', body)).body
  const answers = await burst(12, () => service.post('/login', body))
  t.strictSame(tally(answers), { 200: 12 })
  t.equal(await liveSessions(service, user.id), 3)
})

t.test('sessions are read a page at a time, each once, the one used last first', async (t) => {
  const service = await seeded(t)
  const ada = await enrol(service)
  await enrol(service, 'grace')
  await addSessions(service, ada.id, 70)

  const pages: string[][] = []
  let next: string | null = ''
  for (let page = 1; next !== null && page <= 5; page++) {
    const before: string = next ? `&before=${encodeURIComponent(next)}` : ''
    const { status, body } = await service.get(`/sessions?limit=30${before}`, ada.accessToken)
    t.equal(status, 200)
    pages.push(body.sessions.map(({ id }: { id: string }) => id))
    next = body.next
  }
  t.strictSame(
    pages.map(({ length }) => length),
    [30, 30, 11],
  )
  const ids = Array.from({ length: 70 }, (_, index) => `live-${70 - index}`)
  t.strictSame(pages.flat(), [claimsOf(ada.accessToken).sid, ...ids])

  const { body: first } = await service.get('/sessions', ada.accessToken)
  t.equal(first.sessions.length, 50, 'fifty where nothing is said')
  const { body: most } = await service.get('/sessions?limit=100', ada.accessToken)
  t.strictSame([most.sessions.length, most.next], [71, null])
})

t.test('of sessions that were used at the same moment each is on one page', async (t) => {
  const service = await seeded(t)
  const ada = await enrol(service)
  await addSessions(service, ada.id, 5)
  await service.db.updateTable('sessions').set({ last_used_at: service.clock.now() }).execute()
  const ids: string[] = []
  let before = ''
  for (let page = 1; page <= 3; page++) {
    const { body } = await service.get(`/sessions?limit=2${before}`, ada.accessToken)
    ids.push(...body.sessions.map(({ id }: { id: string }) => id))
    before = `&before=${encodeURIComponent(body.next)}`
  }
  t.equal(new Set(ids).size, 6)
})

t.test('a session that is used while its list is read is not told twice', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  await signIn(service, ada)
  await signIn(service, ada)
  const { body: first } = await service.get('/sessions?limit=2', ada.accessToken)
  service.clock.advance(60)
  await refresh(service, ada.refreshToken)
  const { body: second } = await service.get(`/sessions?limit=2&before=${first.next}`, ada.accessToken)
  t.strictSame(second, { sessions: [], next: null }, 'it has moved to the front')
})

t.test('a page that cannot be is refused', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  for (const query of ['limit=0', 'limit=101', 'limit=x', 'before=x', 'before=1', 'before=%00', 'after=1'])
    t.equal(
      outcomeOf(await service.get(`/sessions?${query}`, ada.accessToken)),
      '400 validation_failed',
      query,
    )
})

t.test('a session is refreshed ten times a minute, and what is refused uses up nothing', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const other = await signIn(service, ada)
  let { refreshToken } = ada
  for (let count = 1; count <= 10; count++) {
    const { status, body } = await refresh(service, refreshToken)
    t.equal(status, 200, `${count}`)
    const repeat = await refresh(service, refreshToken)
    t.equal(repeat.body.refresh_token, body.refresh_token, 'a repeat is not counted')
    refreshToken = body.refresh_token
    service.clock.advance(1)
  }
  const refused = await refresh(service, refreshToken)
  t.equal(outcomeOf(refused), '429 rate_limited')
  t.equal(refused.headers['retry-after'], '50')
  t.equal((await refresh(service, other.refreshToken)).status, 200, 'another session has its own count')

  service.clock.advance(49.999)
  t.equal(outcomeOf(await refresh(service, refreshToken)), '429 rate_limited')
  service.clock.advance(0.001)
  t.equal((await refresh(service, refreshToken)).status, 200, 'the same token is good again')
})

t.test('a repeat of the last refresh of a minute is answered', async (t) => {
  const service = await startService(t)
  let { refreshToken } = await enrol(service)
  let before = ''
  for (let count = 1; count <= 10; count++) {
    before = refreshToken
    refreshToken = (await refresh(service, refreshToken)).body.refresh_token
  }
  t.match(await refresh(service, before), { status: 200, body: { refresh_token: refreshToken } })
})

t.test('refreshes that a clock ahead has counted shut no one out when it is right again', async (t) => {
  const service = await startService(t)
  let { refreshToken } = await enrol(service)
  service.clock.advance(3600)
  for (let count = 1; count <= 10; count++)
    refreshToken = (await refresh(service, refreshToken)).body.refresh_token
  service.clock.advance(-3600)
  t.equal((await refresh(service, refreshToken)).status, 200)
})

const LIVE = { table: 'sessions', where: 'ended_at is null' } as const

t.test('a sign-in to an account with too many sessions ends five hundred of them at most', async (t) => {
  const service = await seeded(t)
  const ada = await enrol(service)
  await addSessions(service, ada.id, 1_300)
  const steps = await greatestSteps(service, [LIVE], () => signIn(service, ada))
  t.strictSame(steps, { sessions: BATCH - 1 }, 'one has come, five hundred have gone')
  t.ok(await isAlive(service, ada.accessToken), 'those used last stay')
})

const ENDINGS: Record<
  string,
  (service: Service, ada: Awaited<ReturnType<typeof enrol>>) => Promise<unknown>
> = {
  'DELETE /sessions': (service, ada) => service.delete('/sessions', ada.accessToken),
  async 'POST /password/change'(service, ada) {
    const passwords = { current_password: PASSWORD, new_password: 'staple in a haystack' }
    await service.post('/password/change', passwords, await accountTokenFor(service, ada.accessToken))
  },
  async 'DELETE /2fa'(service, ada) {
    await service.delete('/2fa', await accountTokenFor(service, ada.accessToken))
  },
  async 'DELETE /2fa/factors/{id}'(service, ada) {
    const { replaces: id } = await inPlaceOfTheOld(service, ada.accessToken)
    await service.delete(`/2fa/factors/${id}`, await accountTokenFor(service, ada.accessToken))
  },
  async 'POST /2fa/setup/confirm'(service, ada) {
    const accountToken = await accountTokenFor(service, ada.accessToken)
    const { secret } = (await service.post('/2fa/setup', undefined, accountToken)).body
    await service.post('/2fa/setup/confirm', { code: totp(secret, service.clock.now()) }, accountToken)
  },
}
for (const [route, end] of Object.entries(ENDINGS))
  t.test(`${route} of an account with too many sessions ends them in batches`, async (t) => {
    const service = await seeded(t)
    const ada = await enrol(service)
    await addSessions(service, ada.id, 1_300)
    const steps = await greatestSteps(service, [LIVE], () => end(service, ada))
    t.strictSame(steps, { sessions: BATCH })
    t.equal(await liveSessions(service, ada.id), 1, 'that which asked, or the new one')
  })

t.test(
  'an account with thousands of rows goes in batches, and others have their turn in between',
  async (t) => {
    const service = await startService(t, { spared: ['factorsWereShown'] })
    const [ada, grace] = [await enrol(service), await enrol(service, 'grace')]
    await addSessions(service, ada.id, 1_300)
    await addSessions(service, ada.id, 1_300, { ended: true })
    await addUsedTokens(service, 'ended-7', 1_300)
    await addUsedTokens(service, claimsOf(ada.accessToken).sid, 1_300)
    await addChallenges(service, ada.id, 1_300)

    const accountToken = await accountTokenFor(service, ada.accessToken)
    let [answered, busy] = [0, true]
    const others = async () => {
      while (busy) {
        t.ok(await isAlive(service, grace.accessToken))
        answered += 1
        await turn()
      }
    }
    const tables = [{ table: 'sessions' }, { table: 'refresh_tokens' }, { table: 'challenges' }] as const
    const steps = await greatestSteps(service, tables, () =>
      Promise.all([
        service.delete('/me', accountToken).then(({ status }) => {
          t.equal(status, 204)
          busy = false
        }),
        others(),
      ]),
    )
    for (const [table, step] of Object.entries(steps)) t.ok(step > 0 && step <= BATCH, `${table}: ${step}`)
    t.ok(answered >= 10, `${answered} requests were answered meanwhile`)
    for (const table of ['accounts', 'sessions'] as const) {
      const rows = await service.db.selectFrom(table).selectAll().execute()
      t.equal(rows.length, 1, `only grace is left in ${table}`)
    }
    t.equal((await service.post('/register', { username: 'ada', password: PASSWORD })).status, 201)
  },
)
