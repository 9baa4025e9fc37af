import { setImmediate as turn } from 'node:timers/promises'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { type Db, inTransaction, openDatabase, readTogether, type Trx } from '../../src/platform/database.ts'
import { migrateUp } from '../../src/platform/migrate.ts'
import { type Params, prepared } from '../../src/platform/prepared.ts'
import { together } from '../../src/platform/together.ts'
import { newDatabase, onPostgres } from '../helpers/service/database.ts'
import { countingRoundTrips } from '../helpers/service/statements.ts'

const counted = prepared((db, param: Params<{ subject: string; mails: number }>) =>
  db
    .insertInto('mail_counts')
    .values({ subject: param('subject'), since: 0, mails: param('mails') })
    .returning(['subject', 'mails']),
)
const countOf = prepared((db, param: Params<{ subject: string }>) =>
  db.selectFrom('mail_counts').select(['mails', 'subject']).where('subject', '=', param('subject')),
)
const recounted = prepared((db, param: Params<{ subject: string; mails: number }>) =>
  db
    .updateTable('mail_counts')
    .set({ mails: param('mails') })
    .where('subject', '=', param('subject')),
)
const count = (trx: Trx, subject: string, mails = 1) => counted.first(trx, { subject, mails })

async function open(
  t: Test,
): Promise<{ db: Db; trips<T>(expected: number, work: () => Promise<T>): Promise<T> }> {
  const databaseUrl = await newDatabase(t)
  const db = await openDatabase(databaseUrl)
  t.teardown(() => db.destroy())
  await migrateUp(db)
  return {
    db,
    async trips(expected, work) {
      if (!onPostgres) return work()
      const done = Promise.withResolvers<Awaited<ReturnType<typeof work>>>()
      const made = await countingRoundTrips(databaseUrl, async () => done.resolve(await work()))
      t.equal(made, expected, 'round trips')
      return done.promise
    },
  }
}

const everything = async (db: Db) => (await db.selectFrom('mail_counts').selectAll().execute()).length

t.test('what a transaction asks at once goes together, and each gets its own result', async (t) => {
  const { db, trips } = await open(t)
  const results = await trips(2, () =>
    inTransaction(db, (trx) =>
      together(
        count(trx, 'ada', 3),
        countOf.all(trx, { subject: 'missing' }),
        recounted.wroteOne(trx, { subject: 'ada', mails: 4 }),
        recounted.wroteOne(trx, { subject: 'missing', mails: 4 }),
        countOf.first(trx, { subject: 'ada' }),
      ),
    ),
  )
  t.strictSame(results, [{ subject: 'ada', mails: 3 }, [], true, false, { mails: 4, subject: 'ada' }])
})

t.test('what is not prepared may be asked at once, too', async (t) => {
  const { db } = await open(t)
  const results = await inTransaction(db, (trx) =>
    together(
      trx.insertInto('mail_counts').values({ subject: 'ada', since: 0, mails: 1 }).execute(),
      countOf.all(trx, { subject: 'missing' }),
      sql<{ two: number }>`select 1 + 1 as two`.execute(trx),
      trx.selectFrom('mail_counts').select('subject').where('mails', '>', 7).execute(),
      count(trx, 'grace'),
    ),
  )
  t.strictSame(results[1], [])
  t.strictSame(results[2].rows, [{ two: 2 }])
  t.strictSame(results[3], [])
  t.equal(await everything(db), 2)
})

t.test('reads go together without a transaction', async (t) => {
  const { db, trips } = await open(t)
  await inTransaction(db, (trx) => together(count(trx, 'ada', 1), count(trx, 'grace', 2)))
  const read = (db: Db, subject: string) => countOf.first(db, { subject })
  const found = await trips(1, () =>
    readTogether(db, (db) => together(read(db, 'grace'), read(db, 'missing'), read(db, 'ada'))),
  )
  t.strictSame(found, [{ mails: 2, subject: 'grace' }, undefined, { mails: 1, subject: 'ada' }])
})

t.test('where one fails, nothing is stored, and the next transaction is not harmed', async (t) => {
  const { db } = await open(t)
  await inTransaction(db, (trx) => count(trx, 'taken'))
  const twoSteps = async (trx: Trx) => {
    await count(trx, 'first').catch(() => {})
    await count(trx, 'second')
  }
  await t.rejects(
    inTransaction(db, (trx) => together(count(trx, 'taken'), twoSteps(trx))),
    { code: onPostgres ? '23505' : 'SQLITE_CONSTRAINT_PRIMARYKEY' },
  )
  t.equal(await everything(db), 1)
  await inTransaction(db, (trx) => count(trx, 'next'))
  t.equal(await everything(db), 2)
})

t.test('an error comes out when everything has ended, and the first one does', async (t) => {
  const { db } = await open(t)
  const did: string[] = []
  const slow = async (trx: Trx) => {
    for (const step of ['one', 'two', 'three']) {
      // A rollback would come in between.
      await turn()
      await count(trx, step)
      did.push(step)
    }
    throw new Error('the last')
  }
  const refusing = inTransaction(db, (trx) => together(Promise.reject(new Error('the first')), slow(trx)))
  await t.rejects(refusing, { message: 'the first' })
  t.strictSame(did, ['one', 'two', 'three'])
  t.equal(await everything(db), 0)
})

t.test('a transaction that has ended takes no more', async (t) => {
  const { db } = await open(t)
  let ended: Trx | undefined
  await inTransaction(db, async (trx) => {
    ended = trx
    await count(trx, 'ada')
  })
  await t.rejects(count(ended as Trx, 'late'), { message: /already committed/ })
  const failing = inTransaction(db, async (trx) => {
    ended = trx
    await count(trx, 'grace')
    throw new Error('no')
  })
  await t.rejects(failing, { message: 'no' })
  await t.rejects(count(ended as Trx, 'late'), { message: /already rolled back/ })
  t.equal(await everything(db), 1)
})
