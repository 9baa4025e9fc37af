import { setImmediate as turn } from 'node:timers/promises'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { BATCH_SIZE } from '../../src/platform/batches.ts'
import { openDatabase } from '../../src/platform/database.ts'
import { cleanUp } from '../../src/upkeep/clean-up.ts'
import { accountTokenFor, isAlive, refresh, signIn } from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { enrol, login, register, type Service, startService } from '../helpers/service/service.ts'

const DAY = 24 * 3600

type Table = 'challenges' | 'refresh_tokens' | 'sessions'

async function count({ db }: Service, table: Table): Promise<number> {
  return (
    await db
      .selectFrom(table)
      .select((eb) => eb.fn.countAll<number>().as('rows'))
      .executeTakeFirstOrThrow()
  ).rows
}

/** Challenges that expired long ago, without the trouble of so many logins. */
async function addExpiredChallenges({ db }: Service, accountId: string, rows: number): Promise<void> {
  await sql`
    with recursive n(i) as (select 1 union all select i + 1 from n where i < ${rows})
    insert into challenges (id, account_id, created_at, expires_at)
    select 'expired-' || i, ${accountId}, 1, 2 from n`.execute(db)
}

/** Gives a session many refresh tokens that were used but could come back for weeks. */
async function addUsedTokens({ db }: Service, sessionId: string, rows: number): Promise<void> {
  await sql`
    with recursive n(i) as (select 1 union all select i + 1 from n where i < ${rows})
    insert into refresh_tokens (token_hash, session_id, created_at, expires_at, rotated_at)
    select 'used-' || ${sessionId} || i, ${sessionId}, 1, ${Number.MAX_SAFE_INTEGER}, 1 from n`.execute(db)
}

/** Watches a table from outside while work goes on. @returns the greatest number of rows that went at once. */
async function greatestStep({ databaseUrl }: Service, table: Table, work: Promise<unknown>): Promise<number> {
  const outside = await openDatabase(databaseUrl)
  const counting = async () => {
    const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}`.execute(
      outside,
    )
    return rows[0]?.count ?? 0
  }
  let [working, greatest, before] = [true, 0, await counting()]
  const done = work.finally(() => {
    working = false
  })
  while (working) {
    await turn()
    const now = await counting()
    greatest = Math.max(greatest, before - now)
    before = now
  }
  await done
  await outside.destroy()
  return greatest
}

/** On a busy machine the watcher may miss a batch or some; it does not miss that there are many. */
function inBatches(t: Test, step: number): void {
  t.ok(step > 0 && step <= 10 * BATCH_SIZE, `at most ${step} rows at once`)
  t.equal(step % BATCH_SIZE, 0)
}

t.test('what has expired goes, and what lives is as good as before', async (t) => {
  const service = await startService(t)
  const gone = await enrol(service, 'gone')
  await service.post('/2fa/setup', undefined, await accountTokenFor(service, gone.accessToken))
  await register(service, 'halfway').then(({ mfaToken }) => service.post('/2fa/setup', undefined, mfaToken))
  service.clock.advance(31 * DAY)

  const ada = await enrol(service)
  const ended = await signIn(service, ada)
  await service.post('/logout', undefined, ended.accessToken)
  const { secret } = (
    await service.post('/2fa/setup', undefined, await accountTokenFor(service, ada.accessToken))
  ).body
  const { body: rotated } = await refresh(service, ada.refreshToken)
  const mfaToken = await login(service)

  const deleted = await cleanUp(service.deps)
  t.match(deleted, { accounts: 1, challenges: 1, totp_factors: 1, sessions: 2 })
  t.equal(await count(service, 'sessions'), 1)
  t.equal(await count(service, 'refresh_tokens'), 2, 'the used one is kept, to know it again')
  t.ok((await signIn(service, gone)).accessToken, 'an active authenticator does not expire')

  t.ok(await isAlive(service, ada.accessToken))
  const code = totp(secret, service.clock.now())
  t.equal(
    (await service.post('/2fa/setup/confirm', { code }, await accountTokenFor(service, rotated.access_token)))
      .status,
    200,
  )
  service.clock.advance(30)
  const verify = await service.post('/2fa/verify', { code: totp(secret, service.clock.now()) }, mfaToken)
  t.equal(verify.status, 200, 'the challenge is live')
})

t.test('made-up names are forgotten after months, wrong codes of an account never', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  for (let count = 1; count <= 10; count++)
    await service.post('/login', { username: 'nobody', password: 'not this one' })
  await service.post('/2fa/verify', { code: '000000' }, await login(service))
  const counted = async () =>
    (await service.db.selectFrom('failure_counters').select('factor').execute()).map(({ factor }) => factor)
  const before = await counted()
  t.ok(before.includes('password') && before.includes('totp'))

  service.clock.advance(89 * DAY)
  await cleanUp(service.deps)
  t.strictSame((await counted()).sort(), before.sort())
  service.clock.advance(2 * DAY)
  await cleanUp(service.deps)
  t.strictSame(await counted(), ['totp'])
  const [left] = await service.db.selectFrom('failure_counters').selectAll().execute()
  t.match(left, { subject: ada.id, failures: 1 })
})

t.test('refreshes are on record for a month, and everything else for a year', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const { body } = await refresh(service, ada.refreshToken)
  await refresh(service, body.refresh_token)
  const recorded = async () =>
    (await service.db.selectFrom('audit_events').select('event').orderBy('id').execute()).map(
      ({ event }) => event,
    )
  const before = await recorded()
  t.equal(before.filter((event) => event === 'token_refreshed').length, 2)

  service.clock.advance(30 * DAY - 1)
  await cleanUp(service.deps)
  t.strictSame(await recorded(), before)
  service.clock.advance(1)
  await cleanUp(service.deps)
  const others = before.filter((event) => event !== 'token_refreshed')
  t.strictSame(await recorded(), others)
  service.clock.advance(335 * DAY - 1)
  await cleanUp(service.deps)
  t.strictSame(await recorded(), others)
  service.clock.advance(1)
  await cleanUp(service.deps)
  t.strictSame(await recorded(), [])
})

t.test('a used refresh token is known after the clean-up, and ends its session', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const { body } = await refresh(service, ada.refreshToken)
  service.clock.advance(DAY)
  await cleanUp(service.deps)
  t.equal(outcomeOf(await refresh(service, ada.refreshToken)), '401 invalid_refresh_token')
  t.notOk(await isAlive(service, body.access_token))
})

t.test(
  'a refresh is repeated with its key after the used token has run out and others were cleaned up',
  async (t) => {
    const service = await startService(t, { environment: { REFRESH_TOKEN_TTL: '3600' } })
    const ada = await enrol(service)
    const headers = { 'idempotency-key': '0123456789abcdef0123' }
    const send = () =>
      service.post('/token/refresh', { refresh_token: ada.refreshToken }, undefined, { headers })
    service.clock.advance(3500)
    const { body } = await send()
    service.clock.advance(200)
    await cleanUp(service.deps)
    t.equal((await send()).body.refresh_token, body.refresh_token)
  },
)

t.test('ten thousand rows go in small batches, and requests have their turn in between', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  await addExpiredChallenges(service, ada.id, 10_000)

  let answered = 0
  let busy = true
  const requests = async () => {
    while (busy) {
      t.ok(await isAlive(service, ada.accessToken))
      if ((await count(service, 'challenges')) > 1) answered += 1
      await turn()
    }
  }
  const cleaning = cleanUp(service.deps).finally(() => {
    busy = false
  })
  const [step] = await Promise.all([greatestStep(service, 'challenges', cleaning), requests()])
  inBatches(t, step)
  t.ok(answered >= 10, `${answered} requests were answered meanwhile`)
  t.equal((await cleaning).challenges, 10_000)
})

t.test('the many refresh tokens of an ended session go in small batches as well', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const ended = await signIn(service, ada)
  await addUsedTokens(service, ended.sessionId, 3_000)
  await service.post('/logout', undefined, ended.accessToken)

  const step = await greatestStep(service, 'refresh_tokens', cleanUp(service.deps))
  // The watcher may miss a batch on a busy machine, and not that there are several.
  t.ok(step > 0 && step < 3_000, `at most ${step} rows at once`)
  t.equal(await count(service, 'sessions'), 1)
  t.equal(await count(service, 'refresh_tokens'), 1)
  t.ok(await isAlive(service, ada.accessToken))
})

t.test('a process that is to end does not wait until all is clean', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const ended = await signIn(service, ada)
  await service.post('/logout', undefined, ended.accessToken)

  for (const [table, add] of [
    ['refresh_tokens', () => addUsedTokens(service, ended.sessionId, 5_000)],
    ['challenges', () => addExpiredChallenges(service, ada.id, 5_000)],
  ] as const) {
    await add()
    const full = await count(service, table)
    const ending = new AbortController()
    const cleaning = cleanUp(service.deps, ending.signal)
    while ((await count(service, table)) === full) await turn()
    ending.abort()
    await cleaning
    t.ok((await count(service, table)) > full - 5 * BATCH_SIZE, table)
    await cleanUp(service.deps)
  }
  t.equal(await count(service, 'sessions'), 1, 'the next time the rest goes')
})

t.test('several processes may clean up at once', async (t) => {
  const service = await startService(t)
  const second = await startService(t, { databaseUrl: service.databaseUrl, clock: service.clock })
  const ada = await enrol(service)
  await addExpiredChallenges(service, ada.id, 1_000)
  await Promise.all([cleanUp(service.deps), cleanUp(second.deps)])
  t.equal(await count(service, 'challenges'), 1)
})
