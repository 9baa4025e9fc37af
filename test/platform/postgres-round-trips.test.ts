import type { DatabaseConnection } from 'kysely'
import pg from 'pg'
import t from 'tap'
import { findAccountById } from '../../src/accounts/store.ts'
import { type Db, inTransaction, readTogether, type Trx } from '../../src/platform/database.ts'
import { heldConnection } from '../../src/platform/held-connection.ts'
import { SCENARIOS, type Scenario, send } from '../helpers/people/scenarios.ts'
import { refresh } from '../helpers/people/sessions.ts'
import { notOnPostgres as skip } from '../helpers/service/database.ts'
import { enrol, startService } from '../helpers/service/service.ts'
import { countingRoundTrips } from '../helpers/service/statements.ts'

/** How often a request waits for the server: a number changes upwards with a reason. */
const ROUND_TRIPS: Record<string, number> = {
  'POST /register': 4,
  'POST /login': 5,
  'POST /2fa/setup': 7,
  'POST /2fa/verify': 6,
  'POST /token/refresh': 3,
  'POST /token/introspect': 1,
  'GET /me': 2,
}

for (const [route, expected] of Object.entries(ROUND_TRIPS))
  t.test(`${route} waits for PostgreSQL ${expected} times`, { skip }, async (t) => {
    const service = await startService(t, { mail: true })
    const request = await (SCENARIOS[route] as Scenario).prepare(service, 'ada')
    t.equal(await countingRoundTrips(service.databaseUrl, () => send(service, route, request)), expected)
  })

t.test('what a session has prepared may be older than a migration, or gone', { skip }, async (t) => {
  const service = await startService(t)
  const admin = new pg.Client(service.databaseUrl)
  await admin.connect()
  t.teardown(() => admin.end())
  const { accessToken, refreshToken } = await enrol(service, 'ada')
  const read = () => service.get('/me', accessToken)
  const next = async (token: string) => (await refresh(service, token)).body
  const { refresh_token } = await next(refreshToken)
  t.equal((await read()).status, 200)
  for (const table of ['accounts', 'sessions'])
    await admin.query(`alter table ${table} add column later text`)
  t.ok((await next(refresh_token)).access_token, 'a transaction is repeated')
  t.equal((await read()).status, 200, 'a statement is sent again')
})

t.test('a connection that was given back takes no more', { skip }, async (t) => {
  const { db } = await startService(t)
  let late: Db | undefined
  const account = (db: Db) => findAccountById(db, 'none')
  await readTogether(db, async (connected) => {
    late = connected
    await account(connected)
  })
  await t.rejects(account(late as Db), { message: 'The connection was given back' })
})

t.test('nothing runs behind the end of a transaction', { skip }, async (t) => {
  const { db } = await startService(t)
  const counts = () => db.selectFrom('mail_counts').select('subject').execute()
  const count = (trx: Trx, subject: string) =>
    trx.insertInto('mail_counts').values({ subject, since: 0, mails: 0 }).compile()
  const late: Promise<unknown>[] = []
  await inTransaction(db, async (trx) => {
    await trx.executeQuery(count(trx, 'in time'))
    const connection = heldConnection(trx) as DatabaseConnection
    const statement = count(trx, 'late')
    setImmediate(() => late.push(connection.executeQuery(statement).catch((error) => error.message)))
  })
  await new Promise(setImmediate)
  t.match(await Promise.all(late), [/has ended|given back/])
  t.strictSame(await counts(), [{ subject: 'in time' }])
})
