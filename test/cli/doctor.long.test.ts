import { randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'
import t from 'tap'
import { startDoctor } from '../helpers/programs/doctor.ts'
import { keyturnOn } from '../helpers/programs/keyturn.ts'
import { startProcess } from '../helpers/programs/process.ts'
import { startMailServer } from '../helpers/programs/smtp.ts'

/** Whatever is wrong, the doctor says what and what to do, fails when people could not sign in, and changes nothing. */

t.test('a service in good health', async (t) => {
  const smtp = await startMailServer(t)
  const mail = { SMTP_URL: smtp.url, MAIL_FROM: 'accounts@id.example.com' }
  const { environment, folder } = await startDoctor(t, mail)
  const { url } = await startProcess(t, { ...environment, ARGON2_MEMORY_KIB: '19456', ARGON2_TIME: '2' })
  const before = readFileSync(`${folder}/keyturn.db`)
  const ended = await keyturnOn({
    ...environment,
    ISSUER: url,
    ARGON2_MEMORY_KIB: '19456',
    ARGON2_TIME: '2',
  })('doctor')
  t.equal(ended.code, 0, ended.stdout)
  for (const line of ended.stdout.trim().split('\n'))
    t.match(line, /^(ok {4}\w+|warn {2}passwords) {2,}\S/, 'at most the hash is slow')
  for (const found of [
    'Node.js v',
    'synchronous = FULL',
    'takes writes',
    'is not damaged',
    'SECRET_KEY is strong and opens the database',
    'signs tokens (ES256',
    `127.0.0.1:${smtp.port} takes mail`,
    `a service that is ready answers at ${url}`,
    'argon2id m=19456,t=2,p=1 by node-rs',
    'MiB are free',
  ])
    t.ok(ended.stdout.includes(found), found)
  t.strictSame(readFileSync(`${folder}/keyturn.db`), before)
  t.equal(smtp.mails.length, 0)
})

t.test('settings: every fault is a line', async (t) => {
  const ended = await keyturnOn({ PORT: 'http', SECRET_KEY: 'short' })('doctor')
  t.match(ended, {
    code: 1,
    stdout: /^fail {2}settings {3}SECRET_KEY must be .*\n(.*\n)*fail|^fail/m,
    stderr: '',
  })
  t.equal(ended.stdout.match(/^fail {2}settings/gm)?.length, 2)
})

t.test('database: missing, damaged, locked, behind', async (t) => {
  const { folder, examine } = await startDoctor(t)
  const missing = await examine({ DATABASE_URL: `sqlite:${folder}/other.db` })
  t.match([missing.code, missing.of('database', 'fail')], [1, /there is none at .*other\.db/])
  const keyless = await examine({ DATABASE_URL: `sqlite:${folder}/other.db`, SECRET_KEY: '' })
  t.equal(keyless.of('files', 'warn'), '', 'no key is said to lie where none is')

  const bytes = readFileSync(`${folder}/keyturn.db`)
  writeFileSync(`${folder}/damaged.db`, bytes.fill(0x55, bytes.length - 8 * 4096))
  const damaged = await examine({ DATABASE_URL: `sqlite:${folder}/damaged.db` })
  t.match([damaged.code, damaged.of('database', 'fail')], [1, /\bis damaged(: |\.$)/])

  const sqlite = new BetterSqlite3(`${folder}/keyturn.db`)
  sqlite.exec('begin immediate')
  const locked = await examine()
  sqlite.exec('rollback')
  t.match([locked.code, locked.of('database', 'fail')], [1, /stores nothing: .*locked/])
  t.match(locked.of('keys', 'ok'), /opens the database/, 'one fault hides no other')

  sqlite.exec('delete from kysely_migration where name = (select max(name) from kysely_migration)')
  sqlite.close()
  const behind = await examine()
  t.match([behind.code, behind.of('database', 'warn')], [0, /1 migrations are missing/])

  const letter = await examine({ DATABASE_URL: `sqlite:${import.meta.filename}` })
  t.match([letter.code, letter.of('database', 'fail')], [1, /is not a SQLite database/])
})

t.test('keys: the wrong one, an old one, one that is not needed any more', async (t) => {
  const { environment, examine } = await startDoctor(t)
  const other = randomBytes(32).toString('base64')
  const wrong = await examine({ SECRET_KEY: other })
  t.match(
    [wrong.code, wrong.of('keys', 'fail')],
    [1, /SECRET_KEY is not the key this database was sealed with/],
  )
  const both = { SECRET_KEY: `${other},${environment.SECRET_KEY}` }
  t.match((await examine(both)).of('keys', 'warn'), /2 values are still sealed under the older key/)
  const reseal = await keyturnOn({ ...environment, ...both })('keys', 'reseal')
  t.equal(reseal.code, 0)
  t.match((await examine(both)).of('keys', 'warn'), /nothing is sealed under the key [0-9a-f]{8}$/)
})

t.test('passwords: a hash that is too cheap', async (t) => {
  const { examine } = await startDoctor(t)
  t.match((await examine()).of('passwords', 'warn'), /cheaper than OWASP recommends/)
})

t.test('files: what others could read', async (t) => {
  const { folder, environment, examine } = await startDoctor(t)
  const keyFile = `${folder}/secret.key`
  const keys = keyturnOn(environment)
  t.equal((await keys('keys', 'list')).code, 0)
  writeFileSync(keyFile, environment.SECRET_KEY, { mode: 0o644 })
  const open = await examine({ SECRET_KEY: '', SECRET_KEY_FILE: keyFile })
  t.match([open.code, open.of('files', 'fail')], [1, /secret\.key has mode 644/])
  chmodSync(`${folder}/keyturn.db`, 0o644)
  chmodSync(folder, 0o755)
  t.match((await examine()).of('files', 'warn'), /keyturn\.db has mode 644/)
})
