import { randomBytes } from 'node:crypto'
import t from 'tap'
import { type Fault, failing } from '../helpers/faults/faults.ts'
import {
  claimsOf,
  deleteAccount,
  disableAccount,
  isAlive,
  refresh,
  signedInBy,
  signIn,
} from '../helpers/people/sessions.ts'
import { burst, outcomeOf, tally, withoutRequestId } from '../helpers/requests/burst.ts'
import { enrol, login, type Service, startService } from '../helpers/service/service.ts'

const DAY = 24 * 3600

const reusesIn = ({ logLines }: Service) => logLines.filter((line) => line.includes('refresh_token_reused'))

t.test(
  'a refresh token is swapped for the next one and a new access token of the same session',
  async (t) => {
    const service = await startService(t)
    const ada = await enrol(service)
    service.clock.advance(400)
    const { status, headers, body } = await refresh(service, ada.refreshToken)
    t.equal(status, 200)
    t.match(body, { token_type: 'Bearer', expires_in: 600, refresh_expires_in: 30 * DAY })
    t.match(body.refresh_token, /^[\w-]{43}$/, '256 bits as base64url')
    t.not(body.refresh_token, ada.refreshToken)
    t.equal(headers['cache-control'], 'no-store')

    const [before, after] = [claimsOf(ada.accessToken), claimsOf(body.access_token)]
    for (const claim of ['iss', 'aud', 'sub', 'sid', 'username', 'amr', 'acr', 'auth_time'])
      t.same(after[claim], before[claim], `${claim} is carried unchanged`)
    t.equal(after.iat, before.iat + 400)
    t.not(after.jti, before.jti)
    t.ok(await isAlive(service, body.access_token))
  },
)

t.test('how sure the login was is carried over every refresh', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const [code] = ada.recoveryCodes
  const answer = { code, method: 'recovery_code' }
  let tokens = signedInBy(await service.post('/2fa/verify', answer, await login(service)))
  const { auth_time: authTime } = claimsOf(tokens.accessToken)
  for (let round = 1; round <= 5; round++) {
    service.clock.advance(DAY)
    tokens = signedInBy(await refresh(service, tokens.refreshToken))
    t.match(claimsOf(tokens.accessToken), {
      amr: ['pwd', 'recovery', 'mfa'],
      acr: 'aal2',
      auth_time: authTime,
    })
  }
})

t.test('a repeat within a minute gets the same next token, and the session goes on', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const first = await refresh(service, ada.refreshToken)
  service.clock.advance(60)
  const retry = await refresh(service, ada.refreshToken)
  t.equal(retry.status, 200)
  t.equal(retry.body.refresh_token, first.body.refresh_token)
  t.ok(await isAlive(service, retry.body.access_token))

  service.clock.advance(60)
  const next = await refresh(service, first.body.refresh_token)
  t.equal(next.status, 200)
  t.ok(await isAlive(service, next.body.access_token))
  t.equal(reusesIn(service).length, 0)
})

t.test('an old refresh token ends the session, and the owner and the operator can see it', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const grace = await enrol(service, 'grace')
  const other = await signIn(service, ada)
  const newest = signedInBy(await refresh(service, ada.refreshToken))
  service.clock.advance(60.001)

  const reused = await service.post('/token/refresh', { refresh_token: ada.refreshToken }, undefined, {
    remoteAddress: '203.0.113.9',
    headers: { 'user-agent': 'thief' },
  })
  t.equal(outcomeOf(reused), '401 invalid_refresh_token')
  t.notOk(await isAlive(service, ada.accessToken), 'the first access token is dead')
  t.notOk(await isAlive(service, newest.accessToken), 'the newest access token is dead')
  const introspected = await service.post(
    '/token/introspect',
    { token: newest.accessToken },
    grace.accessToken,
  )
  t.strictSame(introspected.body, { active: false })
  t.equal(outcomeOf(await refresh(service, newest.refreshToken)), '401 invalid_refresh_token')
  t.ok(await isAlive(service, other.accessToken), 'another session of the account goes on')

  const again = await burst(10, () => refresh(service, ada.refreshToken))
  t.strictSame(tally(again), { '401 invalid_refresh_token': 10 })
  const events = await service.db
    .selectFrom('audit_events')
    .selectAll()
    .where('event', '=', 'refresh_token_reused')
    .execute()
  t.match(events, [
    {
      at: service.clock.now(),
      event: 'refresh_token_reused',
      account_id: ada.id,
      session_id: newest.sessionId,
      ip: '203.0.113.9',
      user_agent: 'thief',
      request_id: reused.body.request_id,
    },
  ])
  t.equal(events.length, 1, 'it is told once')
  t.equal(reusesIn(service).length, 1, 'it is logged once')
  for (const token of [ada.refreshToken, newest.refreshToken])
    t.notOk(service.logLines.join('').includes(token), 'no token is in the log')
})

t.test('a burst of an old refresh token ends the session once', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  await refresh(service, ada.refreshToken)
  service.clock.advance(61)
  const answers = await burst(20, () => refresh(service, ada.refreshToken))
  t.strictSame(tally(answers), { '401 invalid_refresh_token': 20 })
  t.equal(
    (
      await service.db
        .selectFrom('audit_events')
        .selectAll()
        .where('event', '=', 'refresh_token_reused')
        .execute()
    ).length,
    1,
  )
})

t.test('a refresh token lives thirty days from its making', async (t) => {
  const service = await startService(t)
  const kept = await enrol(service, 'kept')
  service.clock.advance(30 * DAY - 1)
  const inTime = await refresh(service, kept.refreshToken)
  t.equal(inTime.status, 200)
  t.equal(inTime.body.refresh_expires_in, 30 * DAY)
  service.clock.advance(30 * DAY)
  t.equal(outcomeOf(await refresh(service, inTime.body.refresh_token)), '401 invalid_refresh_token')
})

t.test('a session ends after ninety days, however often it is refreshed', async (t) => {
  const service = await startService(t)
  let { refreshToken } = await enrol(service)
  for (let round = 1; round <= 3; round++) {
    service.clock.advance(29 * DAY)
    const { status, body } = await refresh(service, refreshToken)
    t.equal(status, 200)
    t.equal(body.refresh_expires_in, Math.min(30, 90 - round * 29) * DAY)
    refreshToken = body.refresh_token
  }
  service.clock.advance(3 * DAY - 1)
  const last = await refresh(service, refreshToken)
  t.equal(last.body.refresh_expires_in, 1)
  t.ok(await isAlive(service, last.body.access_token))
  service.clock.advance(1)
  t.notOk(await isAlive(service, last.body.access_token), 'its access tokens end with it')
  t.equal(outcomeOf(await refresh(service, last.body.refresh_token)), '401 invalid_refresh_token')
})

t.test('whatever is not a live refresh token gets the same answer', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const [old, loggedOut] = [await signIn(service, ada), await signIn(service, ada)]
  await service.post('/logout', undefined, loggedOut.accessToken)
  await refresh(service, old.refreshToken)
  service.clock.advance(61)

  const answers = []
  for (const token of [
    old.refreshToken,
    loggedOut.refreshToken,
    randomBytes(32).toString('base64url'),
    'garbage',
    '\u0000',
    `${ada.refreshToken} `,
    `${ada.refreshToken}=`,
    ada.refreshToken.toUpperCase(),
    await login(service),
    ada.accessToken,
    ada.recoveryCodes[0] as string,
  ])
    answers.push(await refresh(service, token))
  t.strictSame(tally(answers), { '401 invalid_refresh_token': answers.length })
  t.equal(new Set(answers.map((answer) => JSON.stringify(withoutRequestId(answer)))).size, 1)
  t.equal((await refresh(service, ada.refreshToken)).status, 200, 'the true one works')
})

t.test('a refresh token is for the refresh alone', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  t.equal(outcomeOf(await service.get('/me', ada.refreshToken)), '401 invalid_token')
  const stored = await service.db.selectFrom('refresh_tokens').selectAll().execute()
  t.notOk(JSON.stringify(stored).includes(ada.refreshToken), 'it is stored as a hash')
})

t.test('the refresh token of a disabled account is of no use until it is enabled again', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  await disableAccount(service, ada.id)
  t.equal(outcomeOf(await refresh(service, ada.refreshToken)), '401 invalid_refresh_token')
  await disableAccount(service, ada.id, false)
  t.equal((await refresh(service, ada.refreshToken)).status, 200)
})

t.test('the refresh token of a deleted account is of no use', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  await deleteAccount(service, ada.id)
  t.equal(outcomeOf(await refresh(service, ada.refreshToken)), '401 invalid_refresh_token')
})

const STEPS: Fault[] = [
  ['update', 'refresh_tokens'],
  ['insert', 'refresh_tokens'],
  ['update', 'sessions'],
]
for (const fault of STEPS)
  t.test(`a refresh that fails at the ${fault.join(' of ')} gives no token and takes none`, async (t) => {
    const service = await startService(t)
    const ada = await enrol(service)
    const failed = await failing(service, fault, () => refresh(service, ada.refreshToken))
    t.equal(outcomeOf(failed), '503 unavailable')
    t.notMatch(failed.text, /token"/)

    service.clock.advance(60)
    const { status, body } = await refresh(service, ada.refreshToken)
    t.equal(status, 200, 'the old token is still good')
    t.equal((await refresh(service, body.refresh_token)).status, 200)
  })

t.test('a reuse that cannot be written down ends the session at the next try', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  await refresh(service, ada.refreshToken)
  service.clock.advance(61)
  const attempt = () => refresh(service, ada.refreshToken)
  t.equal(outcomeOf(await failing(service, ['insert', 'audit_events'], attempt)), '503 unavailable')
  t.equal(outcomeOf(await attempt()), '401 invalid_refresh_token')
  t.notOk(await isAlive(service, ada.accessToken))
  t.equal(
    (
      await service.db
        .selectFrom('audit_events')
        .selectAll()
        .where('event', '=', 'refresh_token_reused')
        .execute()
    ).length,
    1,
  )
})
