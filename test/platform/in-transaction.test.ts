import t, { type Test } from 'tap'
import { afterCommit, type Db, inTransaction, openDatabase, type Trx } from '../../src/platform/database.ts'
import { ConnectionError, OutcomeUnknownError } from '../../src/platform/database-errors.ts'
import { migrateUp } from '../../src/platform/migrate.ts'
import { newDatabase } from '../helpers/service/database.ts'

async function open(t: Test): Promise<Db> {
  const db = await openDatabase(await newDatabase(t))
  t.teardown(() => db.destroy())
  await migrateUp(db)
  return db
}

const insert = (trx: Trx, subject: string) =>
  trx.insertInto('mail_counts').values({ subject, since: 0, mails: 0 }).execute()

async function subjects(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('mail_counts').select('subject').orderBy('subject').execute()
  return rows.map(({ subject }) => subject)
}

/** Work that writes a row, asks for something after the commit, and fails with these errors first, one each time. */
function failingWork(...errors: Error[]) {
  const did: string[] = []
  let times = 0
  const work = async (trx: Trx) => {
    times += 1
    did.push(`work ${times}`)
    const time = times
    afterCommit(trx, () => did.push(`after ${time}`))
    await insert(trx, `row ${times}`)
    const error = errors.shift()
    if (error) throw error
    return `result ${times}`
  }
  return { did, work }
}

const inTheWay = (code: string) => Object.assign(new Error('in the way'), { code })

for (const [name, error] of [
  ['a lost connection', new ConnectionError('lost')],
  ['a serialization failure', inTheWay('40001')],
  ['a deadlock', inTheWay('40P01')],
] as const)
  t.test(`after ${name} the work is done again, and what is for after the commit once`, async (t) => {
    const db = await open(t)
    const { did, work } = failingWork(error)
    t.equal(await inTransaction(db, work), 'result 2')
    t.strictSame(did, ['work 1', 'work 2', 'after 2'])
    t.strictSame(await subjects(db), ['row 2'], 'nothing is left of the first time')
  })

for (const [name, error] of [
  ['an error of the work', new Error('no')],
  ['a commit of which nobody knows', new OutcomeUnknownError('lost at the commit')],
] as const)
  t.test(`after ${name} nothing is done again, nor after the commit that was none`, async (t) => {
    const db = await open(t)
    const { did, work } = failingWork(error)
    await t.rejects(inTransaction(db, work), error)
    t.strictSame(did, ['work 1'])
    t.strictSame(await subjects(db), [])
  })

t.test('what fails every time is given up, and says why', async (t) => {
  const db = await open(t)
  const errors = Array.from({ length: 20 }, (_, index) => new ConnectionError(`lost ${index + 1}`))
  const { did, work } = failingWork(...errors)
  const { message } = await inTransaction(db, work).catch((error) => error)
  t.equal(message, `lost ${did.length}`)
  t.ok(did.length > 1, 'it was tried again')
  t.notMatch(did.join(), 'after')
})

t.test('what is for after the commit sees what was committed', async (t) => {
  const db = await open(t)
  const seen = Promise.withResolvers<string[]>()
  await inTransaction(db, async (trx) => {
    afterCommit(trx, () => seen.resolve(subjects(db)))
    await insert(trx, 'row')
  })
  t.strictSame(await seen.promise, ['row'])
})

t.test('what would never be done after a commit is refused', async (t) => {
  const db = await open(t)
  const refused = { message: 'This needs a transaction of inTransaction that has not ended' }
  const never = () => t.fail('done')
  await db.transaction().execute(async (trx) => {
    t.throws(() => afterCommit(trx, never), refused, 'in a transaction begun in another way')
  })
  const ended = await inTransaction(db, async (trx) => trx)
  t.throws(() => afterCommit(ended, never), refused, 'once the transaction has ended')
})
