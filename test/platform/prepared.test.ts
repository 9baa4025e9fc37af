import { sql } from 'kysely'
import t from 'tap'
import { prepared } from '../../src/platform/prepared.ts'
import { enrol, register, startService } from '../helpers/service.ts'

/** A query that is built once must be, each time, the query that would have been built then. */

const byName = prepared((db, { username, limit }: { username: string; limit: number }) =>
  db
    .selectFrom('accounts')
    .select('username')
    .where('username', '>=', username)
    .orderBy('username')
    .limit(limit),
)
const renamed = prepared((db, { from, to }: { from: string; to: string }) =>
  db.updateTable('accounts').set({ username: to }).where('username', '=', from),
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
  t.equal(await renamed.run(one.db, { from: 'joan', to: 'jean' }), 1)
  t.equal(await renamed.run(one.db, { from: 'joan', to: 'jean' }), 0)
})

t.test('within a transaction it belongs to it', async (t) => {
  const { db, ...service } = await startService(t)
  await register({ ...service }, 'ada')
  const undone = db.transaction().execute(async (trx) => {
    t.equal(await renamed.run(trx, { from: 'ada', to: 'eve' }), 1)
    throw new Error('undo')
  })
  await t.rejects(undone, { message: 'undo' })
  t.strictSame(await byName.first(db, { username: '', limit: 1 }), { username: 'ada' })
})

t.test('a value that is computed while the query is built is a fault at its first use', async (t) => {
  const { db } = await startService(t)
  const wrong = prepared((db, { now }: { now: number }) =>
    db
      .selectFrom('challenges')
      .select('id')
      .where('expires_at', '<', now + 1),
  )
  await t.rejects(wrong.first(db, { now: 1 }), /now has no value yet/)
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
