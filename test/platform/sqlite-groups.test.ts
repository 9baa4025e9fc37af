// Transactions of one SQLite file that are committed together: each is stored as a whole or not at all, whatever
// becomes of the others, and none is told that it is stored before it is.
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { type Db, inTransaction, openDatabase, type Trx } from '../../src/platform/database.ts'
import { migrateUp } from '../../src/platform/migrate.ts'
import { type Params, prepared } from '../../src/platform/prepared.ts'
import { together } from '../../src/platform/together.ts'
import { watchingStatements } from '../helpers/service/statements.ts'

async function openScene(t: Test) {
  const url = `sqlite:${t.testdir()}/keyturn.db`
  const db = await openDatabase(url)
  t.teardown(() => db.destroy())
  await migrateUp(db)
  return { db, url }
}

const insert = (db: Db, subject: string) =>
  db.insertInto('mail_counts').values({ subject, since: 0, mails: 0 }).execute()

const write = (db: Db, subject: string, then: (trx: Trx) => unknown = () => {}) =>
  inTransaction(db, async (trx) => {
    await insert(trx, subject)
    await then(trx)
  })

async function pragma(db: Db, text: string): Promise<unknown> {
  const { rows } = await sql`pragma ${sql.raw(text)}`.execute(db)
  return rows[0]
}

async function subjects(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('mail_counts').select('subject').orderBy('subject').execute()
  return rows.map(({ subject }) => subject)
}

const outcomes = async (work: Promise<unknown>[]) =>
  (await Promise.allSettled(work)).map((result) =>
    result.status === 'fulfilled' ? 'stored' : result.reason.message,
  )

t.test('those of one moment are one commit', async (t) => {
  const { db, url } = await openScene(t)
  const seen: string[] = []
  await watchingStatements(
    url,
    (text) => seen.push(text),
    () => Promise.all(['a', 'b', 'c'].map((subject) => write(db, subject))),
  )
  t.equal(seen.filter((text) => text === 'commit').length, 1)
  t.equal(seen.at(-1), 'commit')
  t.strictSame(await subjects(db), ['a', 'b', 'c'])
})

t.test('one that is undone leaves the others', async (t) => {
  const { db } = await openScene(t)
  const fail = () => {
    throw new Error('undone')
  }
  t.strictSame(await outcomes([write(db, 'a', fail), write(db, 'b'), write(db, 'c', fail), write(db, 'd')]), [
    'undone',
    'stored',
    'undone',
    'stored',
  ])
  t.strictSame(await subjects(db), ['b', 'd'])
})

t.test('where the commit fails nobody is told that anything is stored, and nothing is', async (t) => {
  const { db, url } = await openScene(t)
  const see = (text: string) => {
    if (text === 'commit') throw new Error('no')
  }
  const lost = await watchingStatements(url, see, () => outcomes([write(db, 'a'), write(db, 'b')]))
  t.strictSame(lost, ['no', 'no'])
  t.strictSame(await subjects(db), [])
  await write(db, 'c')
  t.strictSame(await subjects(db), ['c'])
})

t.test(
  'where the file runs full within one, those before it are lost with it, and are told so',
  async (t) => {
    const { db } = await openScene(t)
    const tooMuch = (trx: Trx) => insert(trx, 'x'.repeat(100_000))
    const { page_count: pages } = (await pragma(db, 'page_count')) as { page_count: number }
    await pragma(db, `max_page_count = ${pages}`)
    t.strictSame(await outcomes([write(db, 'a'), write(db, 'b', tooMuch)]), [
      'database or disk is full',
      'database or disk is full',
    ])
    await pragma(db, 'max_page_count = 100000')
    t.strictSame(await outcomes([write(db, 'c'), write(db, 'd', tooMuch)]), ['stored', 'stored'])
  },
)

t.test('what was asked together with the statement that lost a transaction is not stored', async (t) => {
  const { db } = await openScene(t)
  const { page_count: pages } = (await pragma(db, 'page_count')) as { page_count: number }
  await pragma(db, `max_page_count = ${pages}`)
  const counted = prepared((db, param: Params<{ subject: string }>) =>
    db.insertInto('mail_counts').values({ subject: param('subject'), since: 0, mails: 0 }),
  )
  const losing = inTransaction(db, async (trx) => {
    await counted.run(trx, { subject: 'before' })
    await together(
      counted.run(trx, { subject: 'x'.repeat(1_000_000) }),
      counted.run(trx, { subject: 'together' }),
    )
  })
  await t.rejects(losing, { code: 'SQLITE_FULL' })
  t.strictSame(await subjects(db), [])
  await pragma(db, 'max_page_count = 100000')
  await write(db, 'after')
  t.strictSame(await subjects(db), ['after'])
})

t.test('a question waits for nobody and is answered by what is stored', async (t) => {
  const { db } = await openScene(t)
  await write(db, 'a', async () => {
    t.strictSame(await subjects(db), [], 'not by what may be undone')
  })
  t.strictSame(await subjects(db), ['a'])
})

t.test('a statement of its own is stored when it is answered, with what was before it', async (t) => {
  const { db, url } = await openScene(t)
  const seen: string[] = []
  await watchingStatements(
    url,
    (text) => seen.push(text.slice(0, 6)),
    () => Promise.all([write(db, 'a'), insert(db, 'b')]),
  )
  t.strictSame(seen, ['begin ', 'insert', 'commit', 'insert'])
})
