import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import t from 'tap'
import { sqlitePath } from '../../src/platform/sqlite-files.ts'
import { keyturnOn } from '../helpers/programs/keyturn.ts'
import { postgresPrograms, startCluster } from '../helpers/programs/postgres.ts'
import { enrol, startService } from '../helpers/service/service.ts'

// What the commands say. (What they do: backup.test.ts)

t.test('backup and restore say what they did, and what a restored past means', async (t) => {
  const folder = t.testdir()
  const key = randomBytes(32)
  const url = `sqlite:${folder}/keyturn.db`
  const home = await startService(t, { databaseUrl: url, rootKeys: [key], spared: ['fileIsSound'] })
  const environment = { DATABASE_URL: url, SECRET_KEY: key.toString('base64') }
  const keyturn = keyturnOn(environment)
  await enrol(home)
  const file = `${folder}/backup.sqlite`
  const made = await keyturn('backup', file)
  t.match(made, {
    code: 0,
    stdout: /has 1 account, as of 2026-.* and is sound\.\nSECRET_KEY is not in it/,
  })
  await home.close()
  t.match(await keyturn('restore', file), {
    code: 2,
    stderr: /with this backup, which has 1 account, .* confirm with --yes/,
  })
  const back = await keyturn('restore', file, '--yes')
  t.match(back, { code: 0, stdout: /1 session ended.*\nEverything since then is undone/ })
  const replaced = /^ {2}DATABASE_URL=(\S+) keyturn audit --since (\S+) --limit 100000$/m.exec(back.stdout)
  t.match(
    await keyturnOn({ ...environment, DATABASE_URL: replaced?.[1] ?? '' })(
      'audit',
      '--since',
      replaced?.[2] ?? '',
    ),
    { code: 0, stdout: /session_started/ },
  )
  rmSync(sqlitePath(url))
  t.match(await keyturn('migrate', 'up'), { code: 1, stderr: /is gone/ })
  t.match(await keyturn('migrate', 'up', '--new'), { code: 0, stdout: /^up: / })
})

t.test(
  'a dump of an older version comes back by the guide, with the rights of the second role',
  { skip: !postgresPrograms() && 'NOT TESTED: no PostgreSQL (Debian: postgresql)' },
  async (t) => {
    const cluster = await startCluster()
    t.teardown(() => cluster.stop())
    await cluster.execute(
      'create role keyturn_owner login',
      'create role keyturn login',
      'create database k owner keyturn_owner',
    )
    const url = cluster.url('k').replace('postgres@', 'keyturn_owner@')
    const rights =
      'alter default privileges for role keyturn_owner in schema public grant select, insert, update, delete on tables to keyturn'
    await cluster.executeIn('k', rights)
    const programs = postgresPrograms() as string
    const keyturn = keyturnOn({ DATABASE_URL: url, SECRET_KEY: randomBytes(32).toString('base64') })
    await keyturn('migrate', 'up')
    await keyturn('migrate', 'down', '--yes')
    const dump = `${t.testdir()}/keyturn.dump`
    execFileSync(join(programs, 'pg_dump'), ['--format=custom', `--file=${dump}`, url])
    t.match(await keyturn('migrate', 'up'), { code: 0, stdout: /^up: 0/ })
    const guide = readFileSync('docs/backup.md', 'utf8')
    for (const line of guide.match(/^(psql|pg_restore) .*$/gm) ?? []) {
      const command = line.replace(/postgres:\S+/, `'${url}'`).replace('keyturn.dump', dump)
      execFileSync('sh', ['-c', command], {
        env: { ...process.env, PATH: `${programs}:${process.env.PATH}` },
      })
    }
    t.match(await keyturn('migrate', 'up'), { code: 0, stdout: /^up: 0/ })
    const asSecond = new pg.Client(url.replace('keyturn_owner@', 'keyturn@'))
    await asSecond.connect()
    for (const table of ['accounts', 'secret_keys']) await asSecond.query(`delete from ${table}`)
    await asSecond.end()
  },
)
