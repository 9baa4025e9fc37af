import { sql } from 'kysely'
import pg from 'pg'
import t from 'tap'
import { checkDatabase } from '../../src/cli/doctor/database.ts'
import { openService } from '../../src/open-service.ts'
import { inTransaction, openDatabase } from '../../src/platform/database.ts'
import { makeLogger } from '../../src/platform/logger.ts'
import { endBackends } from '../helpers/faults/cutting-proxy.ts'
import { refresh } from '../helpers/people/sessions.ts'
import { startCluster } from '../helpers/programs/postgres.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { newDatabase, notOnPostgres, prepareServer } from '../helpers/service/database.ts'
import { foreign, leaveBehind, noteSettings } from '../helpers/service/noted-settings.ts'
import { enrol, login, logins, nextCode, PASSWORD, startService } from '../helpers/service/service.ts'
import { watchingStatements } from '../helpers/service/statements.ts'

const skip = notOnPostgres

t.test('times and counts are numbers, as with SQLite', { skip }, async (t) => {
  const { db, clock } = await startService(t)
  const now = clock.now()
  await db.insertInto('mail_counts').values({ subject: 'x', since: now, mails: 1 }).execute()
  const row = await db.selectFrom('mail_counts').selectAll().executeTakeFirst()
  t.strictSame(row, { subject: 'x', since: now, mails: 1 })
  const { rows } = await sql<{ count: number }>`select count(*) as count from mail_counts`.execute(db)
  t.strictSame(rows, [{ count: 1 }])
})

// Otherwise a crash forgets what was answered, and used codes are good again.
t.test(
  'a commit is on the disk, even where the defaults of the database say otherwise',
  { skip },
  async (t) => {
    const databaseUrl = await newDatabase(t)
    const setDefault = async (value: string) => {
      const db = await openDatabase(databaseUrl)
      const name = sql.id(new URL(databaseUrl).pathname.slice(1))
      await sql`alter database ${name} set synchronous_commit = ${sql.lit(value)}`.execute(db)
      await db.destroy()
    }
    const settings = async (url = databaseUrl) => {
      const db = await openDatabase(url)
      const { rows } = await inTransaction(db, (trx) =>
        sql`select reset_val as asked, setting from pg_settings where name = 'synchronous_commit'`.execute(
          trx,
        ),
      )
      await db.destroy()
      return rows[0]
    }
    t.strictSame(await settings(), { asked: 'off', setting: 'on' }, 'the server of the tests may forget')
    for (const asked of ['local', 'remote_write', 'on', 'remote_apply']) {
      await setDefault(asked)
      t.strictSame(await settings(), { asked, setting: asked })
    }
    await setDefault('off')
    t.strictSame(await settings(), { asked: 'off', setting: 'on' })
    await setDefault('on')
    const byUrl = `${databaseUrl}&options=${encodeURIComponent('-c synchronous_commit=off')}`
    t.strictSame(await settings(byUrl), { asked: 'off', setting: 'on' })
  },
)

t.test(
  'each transaction, and each statement outside of one, brings its settings along: others may use the session',
  { skip },
  async (t) => {
    const service = await startService(t, { environment: { DATABASE_POOL_SIZE: '1' } })
    const noted = await noteSettings(service.databaseUrl)
    // What a pooler's other client has left behind.
    await leaveBehind(service.db)
    await enrol(service)
    await service.db.insertInto('mail_counts').values({ subject: 'x', since: 1, mails: 1 }).execute()
    t.strictSame(new Set((await noted()).map(({ table }) => table)), new Set(['sessions', 'mail_counts']))
    t.strictSame(await foreign(noted), [])
    const texts: string[] = []
    await watchingStatements(
      service.databaseUrl,
      (text) => texts.push(text),
      () => inTransaction(service.db, (trx) => service.deps.accounts.lock(trx, 'nobody')),
    )
    t.equal(texts.length, 3, 'and they take no round trip of their own')
  },
)

t.test('of two transactions that wait for each other one is undone and done again', { skip }, async (t) => {
  const service = await startService(t)
  const { db } = service
  const [ada, grace] = [await enrol(service), await enrol(service, 'grace')]
  let met = 0
  const lockBoth = (first: string, second: string) =>
    inTransaction(db, async (trx) => {
      await service.deps.accounts.lock(trx, first)
      met += 1
      while (met < 2) await new Promise((resolve) => setTimeout(resolve, 5))
      await service.deps.accounts.lock(trx, second)
    })
  await t.resolves(Promise.all([lockBoth(ada.id, grace.id), lockBoth(grace.id, ada.id)]))
  t.equal(met, 3, 'one of them was begun twice')
})

t.test('a stricter level of isolation refuses more, and lets nothing in twice', { skip }, async (t) => {
  const databaseUrl = await newDatabase(t)
  const name = new URL(databaseUrl).pathname.slice(1)
  for (const level of ['repeatable read', 'serializable']) {
    const admin = await openDatabase(databaseUrl)
    await sql.raw(`alter database ${name} set default_transaction_isolation = '${level}'`).execute(admin)
    await admin.destroy()
    const service = await startService(t, { databaseUrl })
    const username = level.slice(0, 4)
    const account = await enrol(service, username)
    const tokens = await logins(service, 20, username)
    const code = nextCode(service, account)
    const answers = await burst(20, (index) => service.post('/2fa/verify', { code }, tokens[index] as string))
    const { 200: won, ...others } = tally(answers)
    t.equal(won, 1, `${level}: ${JSON.stringify(others)}`)
    for (const outcome of Object.keys(others))
      t.match(outcome, /^(422 invalid_code|429 too_many_attempts|503 unavailable)$/)
    await service.close()
  }
})

t.test('connections that end while nobody uses them are no loss', { skip }, async (t) => {
  const service = await startService(t)
  const { accessToken } = await enrol(service)
  for (let i = 0; i < 3; i += 1) {
    await endBackends(service.databaseUrl)
    t.match(outcomeOf(await service.get('/me', accessToken)), /^(200|503 unavailable)$/)
    t.equal((await service.get('/me', accessToken)).status, 200)
  }
})

t.test('a burst waits for the one connection that there is', { skip }, async (t) => {
  const service = await startService(t, { environment: { DATABASE_POOL_SIZE: '1', HASH_QUEUE: '100' } })
  await enrol(service)
  const answers = await burst(30, () => service.post('/login', { username: 'ada', password: PASSWORD }))
  t.strictSame(tally(answers), { 200: 30 })
})

t.test('a server that has fewer connections than the pools is shared', { skip }, async (t) => {
  const cluster = await startCluster({ max_connections: '8', superuser_reserved_connections: '1' })
  t.teardown(() => cluster.stop())
  await prepareServer(cluster.url('postgres'))
  await cluster.execute('create role ada login', 'grant pg_read_all_data, pg_write_all_data to ada')
  const databaseUrl = cluster.url('keyturn_template').replace('postgres@', 'ada@')
  const environment = { HASH_QUEUE: '100' }
  const service = await startService(t, { databaseUrl: cluster.url('keyturn_template'), environment })
  await enrol(service)
  await service.close()
  const two = await Promise.all([1, 2].map(() => startBare(databaseUrl)))
  const found = await Promise.all(
    two.flatMap((db) => Array.from({ length: 15 }, () => db.selectFrom('accounts').select('id').execute())),
  )
  t.equal(found.flat().length, 30, 'nobody was turned away')
  await Promise.all(two.map((db) => db.destroy()))
})

const processOf = (client: pg.Client) => (client as pg.Client & { processID: number }).processID

const startBare = (databaseUrl: string) => openDatabase(databaseUrl, { poolSize: 6 })

for (const [what, statement, reason] of [
  ['a table that is locked', 'lock table refresh_tokens in share mode', 'locked'],
  ['accounts that are all locked', 'select from accounts for update', 'locked'],
] as const)
  t.test(`${what} by an open transaction: not ready, and why`, { skip }, async (t) => {
    const service = await startService(t)
    await enrol(service)
    t.equal((await service.get('/readyz')).status, 200)
    const holder = new pg.Client(service.databaseUrl)
    await holder.connect()
    await holder.query('begin')
    await holder.query(statement)
    service.clock.advance(3)
    const answer = await service.get('/readyz')
    isProblem(t, answer, 'unavailable')
    t.equal(answer.body.reason, reason)
    const { findings } = await checkDatabase(service.db, service.databaseUrl, service.clock)
    t.match(findings.map(({ found }) => found).join(), 'another program or transaction has it locked')
    t.match(
      findings.map(({ advice }) => advice).join(),
      new RegExp(`pg_terminate_backend\\(${processOf(holder)}\\)`),
    )
    await holder.end()
    service.clock.advance(3)
    t.equal((await service.get('/readyz')).status, 200)
  })

t.test(
  'a server that became read-only is not ready, and no start there says that it is',
  { skip },
  async (t) => {
    const service = await startService(t)
    await enrol(service)
    t.equal((await service.get('/readyz')).status, 200)
    const name = sql.id(new URL(service.databaseUrl).pathname.slice(1))
    await sql`alter database ${name} set default_transaction_read_only = on`.execute(service.db)
    await endBackends(service.databaseUrl)
    service.clock.advance(3)
    const answer = await service.get('/readyz')
    isProblem(t, answer, 'unavailable')
    t.equal(answer.body.reason, 'read_only')
    const opening = openService({ config: service.config, logger: makeLogger('silent') })
    await t.rejects(opening, { message: /^The database stores nothing: it takes no writes/ })
    const admin = new pg.Client(service.databaseUrl)
    await admin.connect()
    await admin.query('begin read write')
    await admin.query(`alter database ${new URL(service.databaseUrl).pathname.slice(1)} reset all`)
    await admin.query('commit')
    await admin.end()
    await endBackends(service.databaseUrl)
  },
)

t.test(
  'a lock that is held for long is answered with 503, and then everything recovers',
  { skip },
  async (t) => {
    const service = await startService(t)
    const ada = await enrol(service)
    const mfaToken = await login(service)
    const code = nextCode(service, ada)
    const holder = new pg.Client(service.databaseUrl)
    await holder.connect()
    await holder.query('begin')
    await holder.query('select from accounts for update')

    // While the lock is held.
    isProblem(t, await service.post('/2fa/verify', { code }, mfaToken), 'unavailable')
    t.equal((await service.get('/me', ada.accessToken)).status, 200, 'reading goes on meanwhile')

    await holder.query('rollback')
    await holder.end()
    t.equal((await service.post('/2fa/verify', { code }, mfaToken)).status, 200, 'the code is still unused')
    t.equal((await refresh(service, ada.refreshToken)).status, 200)
  },
)
