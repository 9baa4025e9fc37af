import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'
import t from 'tap'
import { findFlask, writeFlaskDatabase } from '../helpers/programs/flask-apps.ts'
import { startImporting, usernames } from '../helpers/programs/importing.ts'
import type { Service } from '../helpers/service/service.ts'

/** The users of a Flask app sign in here with the password and the authenticator they had there. */

const python = findFlask()
const skip = python ? false : 'no python3 with flask_sqlalchemy, bcrypt and pyotp'

async function signIn({ post }: Service, username: string, password: string, code: string | null) {
  const login = await post('/login', { username, password })
  if (login.status !== 200 || code === null) return login
  return post('/2fa/verify', { code }, login.body.mfa_token)
}

const PEOPLE: [string, string, boolean][] = [
  ['ada', 'correct horse battery', true],
  ['grace', 'żółć schläft gut', false],
  ['joan@example.com', 'x'.repeat(72), true],
]

for (const [app, secretColumn, password] of [
  ['bcrypt', 'totp=secret_token, enabled=is_two_factor_authentication_enabled', 'bcrypt'],
  ['werkzeug', 'totp=otp_secret', 'pbkdf2-sha256'],
] as const)
  t.test(`a database of Flask-SQLAlchemy with hashes of ${app}`, { skip }, async (t) => {
    const { service, keyturn, folder } = await startImporting(t)
    const file = `${folder}/app.db`
    const codes = writeFlaskDatabase(python as string, app, file, PEOPLE, service.clock.now())
    const before = readFileSync(file)

    const rehearsal = await keyturn('import', 'flask', file)
    t.match(rehearsal, { code: 0, stdout: /^to import {2}3 {2}2 with an authenticator/ })
    t.ok(rehearsal.stderr.includes(secretColumn), rehearsal.stderr)
    t.strictSame(await usernames(service), [])

    const report = await keyturn.json('import', 'flask', file, '--apply')
    t.match(report, { taken: 3, with_authenticator: 2, password_hashes: { [password]: 3 }, refused: [] })
    t.match(await keyturn.json('import', 'flask', file, '--apply'), { taken: 0, skipped: { length: 3 } })
    t.strictSame(readFileSync(file), before, 'the file of the app is only read')

    for (const [username, password, twoFactor] of PEOPLE) {
      t.equal((await signIn(service, username, `${password.slice(1)}!`, null)).status, 401)
      const { status, body } = await signIn(
        service,
        username,
        password,
        twoFactor ? String(codes[username]) : null,
      )
      t.equal(status, 200, username)
      if (twoFactor) t.type(body.access_token, 'string', username)
      else t.match(body, { enrolled: false }, 'a secret that was never confirmed is left behind')
    }
  })

t.test('other names of tables and columns are given; what is not found is told', async (t) => {
  const { keyturn, folder } = await startImporting(t)
  const file = `${folder}/app.db`
  const sqlite = new BetterSqlite3(file)
  sqlite.exec(`create table "my members" (nick text, pw blob, key text, confirmed text);
    create table posts (id integer);
    create table user (id integer, name text)`)
  const hash = '$2b$04$3wpJ4Rpnka26pPHFm4/BLO3cJSsglO0B0R2z0KBOKAcBzmgNUT9Wq'
  const insert = sqlite.prepare('insert into "my members" values (?, ?, ?, ?)')
  insert.run('ada', Buffer.from(hash), 'JBSWY3DPEHPK3PXP', 'true')
  insert.run('grace', hash, 'JBSWY3DPEHPK3PXP', 'maybe')
  sqlite.close()

  const names = ['--table', 'my members', '--username', 'nick', '--password', 'pw']
  const report = await keyturn(
    'import',
    'flask',
    file,
    ...names,
    '--totp',
    'key',
    '--enabled',
    'confirmed',
    '--json',
  )
  t.match(JSON.parse(report.stdout), {
    taken: 1,
    with_authenticator: 1,
    refused: [{ reasons: ['confirmed: it is neither true nor false'] }],
  })
  const wrong: [string[], RegExp][] = [
    [[], /The table user has no column with the usual name for the username. It has id, name: say which/],
    [['--table', 'nobody'], /--table .*my members, posts, user/],
    [['--table', 'my members', '--username', 'nick'], /usual name for the password/],
    [[...names, '--totp', 'secret'], /has no column secret. It has nick, pw, key, confirmed/],
    [['--table', 'x"; drop table posts; --'], /--table/],
  ]
  for (const [args, message] of wrong)
    t.match(await keyturn('import', 'flask', file, ...args), { code: 2, stdout: '', stderr: message })
  for (const [path, message] of [
    [`${folder}/none.db`, /There is no file/],
    [import.meta.filename, /cannot be (read|opened)/],
    [folder, /cannot be opened/],
  ] as const)
    t.match(await keyturn('import', 'flask', path), { code: 1, stdout: '', stderr: message })
})

t.test('a file that is damaged within is said to be, and nothing of it is taken', async (t) => {
  const { service, keyturn, folder } = await startImporting(t)
  const file = `${folder}/app.db`
  const sqlite = new BetterSqlite3(file)
  sqlite.exec('create table users (id integer primary key, username text, password text)')
  const insert = sqlite.prepare('insert into users values (?, ?, ?)')
  const hash = '$2b$04$3wpJ4Rpnka26pPHFm4/BLO3cJSsglO0B0R2z0KBOKAcBzmgNUT9Wq'
  sqlite.transaction(() => {
    for (let id = 0; id < 1000; id++) insert.run(id, `user${id}`, hash)
  })()
  sqlite.close()
  const bytes = readFileSync(file)
  writeFileSync(file, bytes.fill(0x55, bytes.length / 2))
  const ended = await keyturn('import', 'flask', file, '--apply')
  t.match(ended, { code: 1, stdout: '', stderr: /app\.db cannot be read: database disk image is malformed/ })
  t.notMatch(ended.stderr, /\n +at /)
  t.strictSame(await usernames(service), [])
})

t.test('long passwords under BCRYPT_HANDLE_LONG_PASSWORDS', { skip }, async (t) => {
  const { service, keyturn, folder } = await startImporting(t)
  const password = `${'long '.repeat(20)}password`
  const sqlite = new BetterSqlite3(`${folder}/app.db`)
  const make =
    'import bcrypt,hashlib,sys;print(bcrypt.hashpw(hashlib.sha256(sys.argv[1].encode()).hexdigest().encode(), bcrypt.gensalt(4)).decode())'
  const hash = spawnSync(python as string, ['-c', make, password], { encoding: 'utf8' }).stdout.trim()
  sqlite.exec('create table users (id integer, username text, password text)')
  sqlite.prepare('insert into users values (1, ?, ?)').run('ada', hash)
  sqlite.close()
  await keyturn.json('import', 'flask', `${folder}/app.db`, '--long-passwords', '--apply')
  t.equal((await signIn(service, 'ada', `${password}!`, null)).status, 401)
  t.equal((await signIn(service, 'ada', password, null)).status, 200)
})
