import pg from 'pg'
import t, { type Test } from 'tap'
import { openDatabase } from '../../src/platform/database.ts'
import { migrateDown, migrateUp } from '../../src/platform/migrate.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { newDatabase, notOnPostgres as skip } from '../helpers/service/database.ts'

t.test(
  'a migration that waits for a table that is in use does not keep running services from it',
  { skip },
  async (t) => {
    const url = await newDatabase(t)
    const db = await openDatabase(url)
    t.teardown(() => db.destroy())
    const undone: string[] = []
    while (!undone.includes('0028-mailed-code-use')) undone.unshift(...(await migrateDown(db)))
    const [backup, running] = await Promise.all([connect(t, url), connect(t, url)])
    await backup.query('begin; select from mailed_code_factors')
    const warned = new Promise<Error>((resolve) => {
      const listener = (warning: Error) => {
        if (/migration/.test(warning.message)) resolve(warning)
      }
      process.on('warning', listener)
      t.teardown(() => process.off('warning', listener))
    })
    const migrating = migrateUp(db)
    const waits = "select from pg_locks where not granted and relation = 'mailed_code_factors'::regclass"
    await eventually('it waits', async () => (await running.query(waits)).rowCount === 1)
    await running.query(`set lock_timeout = '5s'; select from mailed_code_factors`)
    t.match((await warned).message, /waits for tables that are in use.*pg_terminate_backend/)
    await backup.query('rollback')
    t.strictSame(await migrating, undone)
  },
)

async function connect(t: Test, url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  await client.connect()
  t.teardown(() => client.end())
  return client
}
