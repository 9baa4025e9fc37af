import { randomBytes } from 'node:crypto'
import { chmodSync, writeFileSync } from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'
import t, { type Test } from 'tap'
import { examine } from '../../src/cli/doctor/examine.ts'
import { makeKeyRing } from '../../src/crypto/key-ring.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { sqlitePath } from '../../src/platform/sqlite-files.ts'
import { makeKeyHolder } from '../../src/tokens/key-holders.ts'
import { enrol, startService } from '../helpers/service/service.ts'

/** What the doctor finds. (The command, and the parts around a service: doctor*.long.test.ts) */

/** A database that a service has used, and what is found under its settings and these. */
async function examined(t: Test) {
  const key = randomBytes(32)
  const service = await startService(t, { rootKeys: [key], spared: ['fileIsSound'] })
  await enrol(service)
  const settings = { DATABASE_URL: service.databaseUrl, SECRET_KEY: key.toString('base64') }
  const find = async (status: string, more: Record<string, string> = {}) => {
    const findings = await examine({ ...settings, ...more })
    return findings
      .filter((finding) => finding.status === status)
      .map(({ check, found }) => `${check} ${found}`)
  }
  return { db: service.db, find, key, settings, path: sqlitePath(service.databaseUrl) }
}

t.test('of a sound database all is well', async (t) => {
  const { find } = await examined(t)
  t.strictSame(await find('fail'), [])
  const ok = (await find('ok')).join('\n')
  for (const found of [/^settings are complete/m, /^database takes writes/m, /^database is not damaged/m])
    t.match(ok, found)
  t.match(ok, /^keys SECRET_KEY is strong and opens the database/m)
})

t.test('every fault of the settings is a line', async (t) => {
  const { find } = await examined(t)
  const faults = await find('fail', { PORT: 'http', SECRET_KEY: 'short' })
  t.equal(faults.length, 2)
  for (const fault of faults) t.match(fault, /^settings (PORT|SECRET_KEY) must be /)
})

t.test('keys: the wrong one, and one that seals no more', async (t) => {
  const { find, settings } = await examined(t)
  const other = randomBytes(32).toString('base64')
  t.match(await find('fail', { SECRET_KEY: other }), [/^keys SECRET_KEY is not the key/])
  const both = await find('warn', { SECRET_KEY: `${other},${settings.SECRET_KEY}` })
  t.match(both.join('\n'), /^keys \d+ values are still sealed under the older key [0-9a-f]{8}$/m)
})

t.test('keys: one that comes first here, and that a replica lacks', async (t) => {
  const { db, find, key, settings } = await examined(t)
  await makeKeyHolder({ db, clock: systemClock, keyRing: makeKeyRing([key]) }).note()
  t.notMatch((await find('warn')).join('\n'), 'serves without the key')
  const next = randomBytes(32)
  const both = await find('warn', { SECRET_KEY: `${next.toString('base64')},${settings.SECRET_KEY}` })
  t.match(
    both.join('\n'),
    new RegExp(`^keys \\S+ serves without the key ${makeKeyRing([next]).primary.id}, which comes first`, 'm'),
  )
})

t.test('keys: a value under one that was dropped too early', async (t) => {
  const { find, settings, path } = await examined(t)
  t.strictSame(await find('fail'), [])
  const sqlite = new BetterSqlite3(path)
  sqlite.exec("update totp_factors set sealed_secret = 'deadbeef' || substr(sealed_secret, 9)")
  sqlite.close()
  const next = randomBytes(32).toString('base64')
  t.match(await find('fail'), [
    /^keys 1 values are sealed under the key deadbeef, which SECRET_KEY does not hold/,
  ])
  const given = await find('warn', { SECRET_KEY: `${settings.SECRET_KEY},${next}` })
  t.match(given.join('\n'), /^keys nothing is sealed under the key [0-9a-f]{8}$/m)
})

t.test('the database: missing, locked, behind, none', async (t) => {
  const { find, path } = await examined(t)
  t.match(await find('fail', { DATABASE_URL: `sqlite:${path}x` }), [/^database there is none at /])
  t.match(await find('fail', { DATABASE_URL: `sqlite:${import.meta.filename}` }), [
    /is not a SQLite database/,
  ])

  const sqlite = new BetterSqlite3(path)
  sqlite.exec('begin immediate')
  t.match(await find('fail'), [/^database stores nothing: .*locked/])
  sqlite.exec('rollback')
  sqlite.exec('delete from kysely_migration where name = (select max(name) from kysely_migration)')
  sqlite.close()
  t.match((await find('warn')).join('\n'), /^database .*1 migrations are missing/m)
})

t.test('the database of a newer version: one that this one can serve, and one that it cannot', async (t) => {
  const { find, path } = await examined(t)
  const sqlite = new BetterSqlite3(path)
  const migrated = (name: string) =>
    sqlite.prepare("insert into kysely_migration values (?, '2099')").run(name)
  migrated('9998-more')
  t.match(
    (await find('ok')).join('\n'),
    /^database has the tables of a newer version, which this one can serve/m,
  )
  migrated('9999-less--from-9.0.0')
  t.match(await find('fail'), [/^database This is Keyturn .* served from 9\.0\.0 on/])
  sqlite.close()
})

t.test('what others could read, and a hash that is too cheap', async (t) => {
  const { settings, path } = await examined(t)
  const file = `${t.testdir()}/secret.key`
  writeFileSync(file, settings.SECRET_KEY)
  chmodSync(file, 0o644)
  chmodSync(path, 0o644)
  const { SECRET_KEY: _, ...rest } = settings
  const open = await examine({
    ...rest,
    ...{
      SECRET_KEY_FILE: file,
      SMTP_URL_FILE: '',
      REGISTRATION: '',
      ARGON2_MEMORY_KIB: '8',
      ARGON2_TIME: '1',
    },
  })
  const found = open.map(({ check, status, found }) => `${status} ${check} ${found}`).join('\n')
  t.match(found, /^fail files .*secret\.key has mode 644/m)
  t.match(
    found,
    /^warn settings SECRET_KEY_FILE names .*secret\.key, which everybody on this machine can read/m,
  )
  t.match(found, /^warn settings Settings without a value .*: REGISTRATION/m)
  t.match(found, /^warn passwords .*cheaper than OWASP/m)
})
