import { DefaultQueryCompiler, type Expression, sql } from 'kysely'
import t from 'tap'
import { type Db, inTransaction, wroteOne } from '../../src/platform/database.ts'
import { type Params, prepared } from '../../src/platform/prepared.ts'
import { SCENARIOS, type Scenario, send } from '../helpers/people/scenarios.ts'
import { enrol, register, startService } from '../helpers/service/service.ts'

/** A query that is built once must be, each time, the query that would have been built then. */

const byName = prepared((db, param: Params<{ username: string; limit: number }>) =>
  db
    .selectFrom('accounts')
    .select('username')
    .where('username', '>=', param('username'))
    .orderBy('username')
    .limit(param('limit')),
)
const renamed = prepared((db, param: Params<{ from: string; to: string }>) =>
  db
    .updateTable('accounts')
    .set({ username: param('to') })
    .where('username', '=', param('from')),
)

t.test('each call has its own values, and each database its own rows', async (t) => {
  const [one, other] = [await startService(t), await startService(t)]
  for (const username of ['ada', 'grace', 'joan']) await register(one, username)
  await register(other, 'zoe')

  t.strictSame(await byName.first(one.db, { username: 'b', limit: 1 }), { username: 'grace' })
  t.strictSame(await byName.all(one.db, { username: 'a', limit: 2 }), [
    { username: 'ada' },
    { username: 'grace' },
  ])
  t.strictSame(await byName.all(other.db, { username: 'a', limit: 9 }), [{ username: 'zoe' }])
  t.equal(await byName.first(one.db, { username: 'z', limit: 1 }), undefined)
  t.equal(await renamed.wroteOne(one.db, { from: 'joan', to: 'jean' }), true)
  t.equal(await renamed.wroteOne(one.db, { from: 'joan', to: 'jean' }), false)
})

t.test('whether exactly one row was written', async (t) => {
  const service = await startService(t)
  for (const username of ['ada', 'grace', 'joan']) await register(service, username)
  const closed = prepared((db, param: Params<{ from: string; now: number }>) =>
    db
      .updateTable('accounts')
      .set({ disabled_at: param('now') })
      .where('username', '>=', param('from')),
  )
  const { db } = service
  const closeAll = (from: string) =>
    wroteOne(db.updateTable('accounts').set({ disabled_at: 1 }).where('username', '>=', from))
  for (const [from, rows] of [
    ['ada', 3],
    ['joan', 1],
    ['zoe', 0],
  ] as const) {
    t.equal(await closed.wroteOne(db, { from, now: 1 }), rows === 1, `a prepared update of ${rows}`)
    t.equal(await closeAll(from), rows === 1, `an update of ${rows}`)
  }
  const joan = db.deleteFrom('accounts').where('username', '=', 'joan')
  t.strictSame([await wroteOne(joan), await wroteOne(joan)], [true, false], 'a deletion')
})

t.test('within a transaction it belongs to it', async (t) => {
  const { db, ...service } = await startService(t)
  await register({ ...service }, 'ada')
  const undone = inTransaction(db, async (trx) => {
    t.equal(await renamed.wroteOne(trx, { from: 'ada', to: 'eve' }), true)
    throw new Error('undo')
  })
  await t.rejects(undone, { message: 'undo' })
  t.strictSame(await byName.first(db, { username: '', limit: 1 }), { username: 'ada' })
})

interface Now {
  now: number
}

const uses: Record<string, (db: Db, param: Params<Now>) => ReturnType<typeof outdated>> = {
  // @ts-expect-error: a name is no number.
  arithmetic: (db: Db, param: Params<Now>) => outdated(db, param('now') + 1),
  // @ts-expect-error: a name is no number.
  'an ordering': (db: Db, param: Params<Now>) => outdated(db, param('now') > 0 ? 1 : 2),
  'a template string': (db: Db, param: Params<Now>) => outdated(db, sql<number>`${`${param('now')}`}`),
  'a condition': (db: Db, param: Params<Now>) => outdated(db, param('now') ? 1 : 2),
  // @ts-expect-error: a name equals no number.
  'a comparison': (db: Db, param: Params<Now>) => outdated(db, param('now') === 0 ? 1 : 2),
  'a comparison with undefined': (db: Db, param: Params<Now>) =>
    outdated(db, param('now') === undefined ? 1 : 2),
  'a spread': (db: Db, param: Params<Now>) =>
    outdated(db, 1).$if('now' in { ...param('now') }, (query) => query),
}
for (const [use, build] of Object.entries(uses))
  t.test(`a value used for ${use} while the query is built is a fault at its first use`, async (t) => {
    const { db } = await startService(t)
    await t.rejects(prepared(build).first(db, { now: 1 }), {
      name: 'TypeError',
      message: /^now (has no value yet: .*|was asked for and has no place in the query)$/,
    })
  })

function outdated(db: Db, now: number | Expression<number>) {
  return db.selectFrom('challenges').select('id').where('expires_at', '<', now)
}

t.test('a value that is not there is a fault, and not a condition that nothing meets', async (t) => {
  const { db } = await startService(t)
  // @ts-expect-error: a value that may be missing would make a query of two shapes.
  const optional = prepared((db, param: Params<{ now?: number }>) => outdated(db, param('now')))
  await t.rejects(optional.first(db, {}), new TypeError('A prepared query was given no value for now'))
})

for (const route of [
  'POST /login',
  'POST /2fa/verify',
  'POST /token/refresh',
  'POST /token/introspect',
  'GET /me',
])
  t.test(`${route} builds no query a second time`, async (t) => {
    const service = await startService(t, { mail: true })
    const { prepare } = SCENARIOS[route] as Scenario
    const [first, second] = [await prepare(service, 'ada'), await prepare(service, 'grace')]
    await send(service, route, first)
    const { prototype } = DefaultQueryCompiler
    const built = t.capture(prototype, 'compileQuery', prototype.compileQuery)
    await send(service, route, second)
    t.strictSame(
      built().map((call) => 'returned' in call && call.returned.sql),
      [],
    )
  })

t.test('what was prepared before the schema changed reads the new schema', async (t) => {
  const service = await startService(t)
  await enrol(service)
  const all = () => service.db.selectFrom('accounts').selectAll().executeTakeFirstOrThrow()
  const before = Object.keys(await all())
  await sql`alter table accounts add column nickname text`.execute(service.db)
  t.strictSame(Object.keys(await all()), [...before, 'nickname'])
  await sql`alter table accounts drop column nickname`.execute(service.db)
  t.strictSame(Object.keys(await all()), before)
})
