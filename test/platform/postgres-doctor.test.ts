// What the doctor of the command line says about a PostgreSQL database.
import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import t from 'tap'
import { examine } from '../../src/cli/doctor/examine.ts'
import { openDatabase } from '../../src/platform/database.ts'
import { keyturnOn } from '../helpers/programs/keyturn.ts'
import { newDatabase, notOnPostgres } from '../helpers/service/database.ts'
import { startService } from '../helpers/service/service.ts'

interface Finding {
  check: string
  status: string
  found: string
}

t.test('doctor on PostgreSQL', { skip: notOnPostgres }, async (t) => {
  const rootKey = randomBytes(32)
  const { databaseUrl } = await startService(t, { rootKeys: [rootKey] })
  const keyturn = keyturnOn({ DATABASE_URL: databaseUrl, SECRET_KEY: rootKey.toString('base64') })
  const findings = async (status: string) => {
    const { stdout } = await keyturn('doctor', '--json')
    return (JSON.parse(stdout).findings as Finding[])
      .filter((finding) => finding.check === 'database' && finding.status === status)
      .map(({ found }) => found)
  }
  const db = await openDatabase(databaseUrl)
  t.teardown(() => db.destroy())
  const set = (setting: string) =>
    sql`alter database ${sql.id(new URL(databaseUrl).pathname.slice(1))} set ${sql.raw(setting)}`.execute(db)

  t.match(await findings('ok'), ['has the tables of this version', 'takes writes', /^PostgreSQL \d+/])
  t.equal((await db.selectFrom('mail_counts').selectAll().execute()).length, 0, 'and nothing stays')
  // The server of the tests is one that may forget.
  const fails = await findings('fail')
  t.match(fails, [/^fsync is off/, /^full_page_writes is off/])
  t.equal(fails.length, 2)
  await set('default_transaction_read_only = on')
  t.match((await findings('fail'))[0], /^stores nothing: .*read-only/)
})

t.test('doctor: a clock that is not that of the PostgreSQL server', { skip: notOnPostgres }, async (t) => {
  const rootKey = randomBytes(32)
  const { databaseUrl } = await startService(t, { rootKeys: [rootKey] })
  const settings = { DATABASE_URL: databaseUrl, SECRET_KEY: rootKey.toString('base64') }
  // This machine's own clock cannot be moved for one process: the doctor is given one.
  const clockFindings = async (offMs: number) => {
    const findings = await examine(settings, { now: () => Date.now() + offMs })
    return findings.filter(({ check }) => check === 'clock').map(({ status, found }) => `${status} ${found}`)
  }
  t.match(await clockFindings(0), ['ok agrees with the database'])
  t.match(await clockFindings(8_000), [/^warn this machine is [78]\.\d s ahead of the database$/])
  t.match(await clockFindings(20_000), [/^fail this machine is (19|20)\.\d s ahead of the database$/])
  t.match(await clockFindings(-20_000), [/^fail this machine is (19|20)\.\d s behind the database$/])
})

t.test('doctor on a PostgreSQL database without tables', { skip: notOnPostgres }, async (t) => {
  const keyturn = keyturnOn({
    DATABASE_URL: await newDatabase(t, { empty: true }),
    SECRET_KEY: randomBytes(32).toString('base64'),
  })
  const { stdout } = await keyturn('doctor')
  t.match(stdout, /migrations are missing/)
})
