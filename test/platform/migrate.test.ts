import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { migrations } from '../../migrations/index.ts'
import { type Db, openDatabase, placeOf } from '../../src/platform/database.ts'
import { faultOfSchema, migrateDown, migrateUp, migrationStatus } from '../../src/platform/migrate.ts'
import { refresh, signIn } from '../helpers/people/sessions.ts'
import { runWarm } from '../helpers/programs/keyturn.ts'
import { newDatabase, onPostgres, tablesOf } from '../helpers/service/database.ts'
import { enrol, startService } from '../helpers/service/service.ts'

/** A migration is done once and whole, whoever asks for it at the same time, and it can be taken back. */

const NAMES = Object.keys(migrations)

async function open(t: Test, url?: string): Promise<Db> {
  const db = await openDatabase(url ?? (await newDatabase(t, { empty: true })))
  t.teardown(() => db.destroy())
  return db
}

/** What the database looks like, without Kysely's own tables. */
async function schemaOf(db: Db): Promise<unknown[]> {
  if (onPostgres) return (await sql.raw(SCHEMA_OF_POSTGRES).execute(db)).rows
  const { rows } = await sql`
    select type, name, sql from sqlite_master
    where name not like 'kysely_%' and name not like '%_kysely_%' order by type, name`.execute(db)
  return rows
}

const SCHEMA_OF_POSTGRES = `
  select table_name as of, column_name as name, data_type || is_nullable || coalesce(column_default, '') as definition
  from information_schema.columns where table_schema = 'public' and table_name not like 'kysely_%'
  union all
  select tablename, indexname, indexdef from pg_indexes
  where schemaname = 'public' and tablename not like 'kysely_%'
  union all
  select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
  where connamespace = 'public'::regnamespace and conrelid::regclass::text not like 'kysely_%'
  order by 1, 2, 3`

t.test('all the way down and up again gives the same schema', async (t) => {
  const db = await open(t)
  t.strictSame(await migrateUp(db), NAMES)
  const full = await schemaOf(db)
  t.ok(full.length > NAMES.length)

  for (const name of NAMES.toReversed()) t.strictSame(await migrateDown(db), [name], 'one at a time')
  t.strictSame(await schemaOf(db), [], 'nothing is left')
  t.strictSame(await migrateDown(db), [], 'and nothing is left to take back')

  t.strictSame(await migrateUp(db), NAMES)
  t.strictSame(await schemaOf(db), full)
  t.strictSame(await migrateUp(db), [], 'a second time there is nothing to do')

  await migrateDown(db, { all: true })
  t.strictSame(await schemaOf(db), [])
})

t.test('from every step of the way down, the way up leads to the same schema', async (t) => {
  const db = await open(t)
  await migrateUp(db)
  const full = await schemaOf(db)
  for (let depth = 1; depth <= NAMES.length; depth++) {
    for (let step = 0; step < depth; step++) await migrateDown(db)
    t.strictSame(await migrateUp(db), NAMES.slice(-depth))
    t.strictSame(await schemaOf(db), full, `${depth} down and up again`)
  }
})

t.test('the status names every migration, and when it was applied', async (t) => {
  const db = await open(t)
  t.strictSame(
    await migrationStatus(db),
    NAMES.map((name) => ({ name, appliedAt: null, known: true })),
  )
  await migrateUp(db)
  await migrateDown(db)
  const status = await migrationStatus(db)
  t.strictSame(
    status.map(({ name }) => name),
    NAMES,
  )
  t.equal(status.at(-1)?.appliedAt, null)
  for (const { appliedAt } of status.slice(0, -1)) t.type(appliedAt, Date)
})

t.test('of several that migrate at once one does it, and the others find it done', async (t) => {
  const url = await newDatabase(t, { empty: true })
  const connections = await Promise.all(Array.from({ length: 4 }, () => open(t, url)))
  const applied = await Promise.all(connections.map((db) => migrateUp(db)))
  t.strictSame(applied.map(({ length }) => length).sort(), [0, 0, 0, NAMES.length])
})

t.test('of a migration that fails nothing is kept', async (t) => {
  const db = await open(t)
  await sql`create table sessions (in_the_way text)`.execute(db)
  await t.rejects(migrateUp(db), { name: 'DatabaseError', message: /0005-sessions.*already exists/ })
  t.strictSame(await tablesOf(db), ['sessions'], 'not even of those before it')
  await sql`drop table sessions`.execute(db)
  t.strictSame(await migrateUp(db), NAMES, 'and it can be tried again')
})

/** What `up` of a newer version leaves: its tables, and its name. */
async function migratedByNewer(db: Db, name: string): Promise<void> {
  await migrateUp(db)
  for (const table of await tablesOf(db))
    await sql`alter table ${sql.table(table)} add column later text`.execute(db)
  await sql`insert into kysely_migration (name, timestamp) values (${name}, '2099-01-01T00:00:00.000Z')`.execute(
    db,
  )
}

t.test('a schema that a newer version has added to is served by this one as it is', async (t) => {
  const url = await newDatabase(t)
  const db = await open(t, url)
  await migratedByNewer(db, '9999-later')
  t.strictSame(await migrateUp(db), [], 'there is nothing to do')
  t.match((await migrationStatus(db)).at(-1), { name: '9999-later', appliedAt: Date, known: false })
  const service = await startService(t, { databaseUrl: url })
  const ada = await enrol(service)
  t.ok((await signIn(service, ada)).accessToken)
  t.equal((await refresh(service, ada.refreshToken)).status, 200)
  await t.rejects(migrateDown(db), {
    name: 'DatabaseError',
    message: /newer version .* takes that back itself/,
  })
})

t.test('one that it cannot serve names the version to install, and is left alone', async (t) => {
  const db = await open(t)
  await migratedByNewer(db, '9999-no-more-x--from-9.10.0')
  const before = await schemaOf(db)
  await sql`insert into kysely_migration (name, timestamp) values ('9998-no-y--from-9.9.0', '2099')`.execute(
    db,
  )
  const tooOld = {
    name: 'DatabaseError',
    message: /^This is Keyturn .* can be served from 9\.10\.0 on\. Install that/,
  }
  await t.rejects(migrateUp(db), tooOld)
  await sql`delete from kysely_migration where name = ${NAMES.at(-1)}`.execute(db)
  await t.rejects(migrateUp(db), tooOld, 'also where it lacks something')
  t.strictSame(await schemaOf(db), before)
  const states = (...names: string[]) => names.map((name) => ({ name, appliedAt: new Date(), known: false }))
  t.equal(faultOfSchema(states('9999-x--from-9.10.0'), '9.10.0-rc.1'), undefined, 'that version itself')
  t.equal(faultOfSchema(states('9999-x--from-9.9.9'), '9.10.0'), undefined, 'a newer one')
  const absent = { name: NAMES.at(-1) as string, appliedAt: null, known: true }
  t.match(
    faultOfSchema([absent, ...states('9999-x')], '9.9.9'),
    /by another version .*it has 9999-x, and not /,
  )
})

t.test('npm run migrate: up, status, down, and what it says to anything else', async (t) => {
  const environment = {
    DATABASE_URL: await newDatabase(t, { empty: true }),
    SECRET_KEY: randomBytes(32).toString('base64'),
  }
  const migrate = (...args: string[]) => runWarm(['migrate', ...args], environment)

  t.match(await migrate('status'), { code: 0, stdout: /^0001-accounts +not applied$/m })
  t.match(await migrate('up'), {
    code: 0,
    stdout: `up: ${NAMES.join(', ')}\n`,
    stderr: `Database: ${placeOf(environment.DATABASE_URL)}\n`,
  })
  t.match(await migrate('up'), { code: 0, stdout: 'Nothing to do.\n' })
  t.match(await migrate('status'), { code: 0, stdout: /^0001-accounts +\d{4}-\d\d-\d\dT/m })
  t.match(await migrate('down'), { code: 2, stdout: '', stderr: /Without a terminal, confirm with --yes/ })
  t.match(await migrate('down', '--yes'), { code: 0, stdout: `down: ${NAMES.at(-1)}\n` })
  t.match(await migrate('--help'), { code: 0, stdout: /^Usage: keyturn migrate / })
  t.match(await migrate(), { code: 2, stdout: '', stderr: /^Usage: keyturn migrate / })
  for (const wrong of [['sideways'], ['toString'], ['up', 'twice']])
    t.match(
      await migrate(...wrong),
      { code: 2, stdout: '', stderr: /^error: .*\nSee keyturn migrate .*--help\n$/ },
      wrong.join(' '),
    )
})

t.test('npm run migrate says what is wrong in one sentence', async (t) => {
  const folder = t.testdir({ 'letter.txt': 'Dear Ada, '.repeat(1000) })
  const migrate = (environment: Record<string, string>) => runWarm(['migrate', 'up'], environment)
  t.match(await migrate({ DATABASE_URL: `sqlite:${folder}/letter.txt` }), {
    code: 1,
    stderr: /^The file .*letter\.txt is not a SQLite database\.\n$/,
  })
  t.match(await migrate({ DATABASE_URL: 'nowhere' }), {
    code: 1,
    stderr: /^The configuration has a fault:\n/,
  })
})
