import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { FOREIGN_HASHES, FOREIGN_PASSWORD } from '../helpers/people/foreign-hashes.ts'
import { totp } from '../helpers/people/totp.ts'
import { jsonLines, startImporting, usernames } from '../helpers/programs/importing.ts'
import { keyturnOn } from '../helpers/programs/keyturn.ts'

/** The files that accounts come in, and those they go out in. */

const HASH = FOREIGN_HASHES['Werkzeug pbkdf2:sha256'] ?? ''
const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'

t.test('CSV: names are mapped, times and truths are read as databases write them', async (t) => {
  const { service, keyturn, folder } = await startImporting(t, {
    'users.csv': [
      '\u{feff}login,pw,email,email_verified,created_at,disabled,last_seen',
      `ada,${HASH},ada@example.com,t,2024-01-31 10:00:00.123456,0,"a, ""b"""`,
      `grace,${HASH},,,1706695200,1,`,
      `joan,,joan@example.com,yes,2024-01-31T10:00:00+01:00,f,`,
      '',
    ].join('\r\n'),
  })
  const mapping = ['--map', 'username=login', '--map', 'password_hash=pw', '--ignore', 'last_seen']
  const report = await keyturn.json('import', `${folder}/users.csv`, ...mapping, '--apply')
  t.match(report, { applied: true, taken: 3, password_hashes: { 'pbkdf2-sha256': 2, none: 1 } })
  const rows = await service.db.selectFrom('accounts').selectAll().orderBy('username').execute()
  const at = Date.parse('2024-01-31T10:00:00Z')
  t.strictSame(
    rows.map((row) => [
      row.username,
      row.created_at - at,
      row.email_verified_at !== null,
      row.disabled_at !== null,
    ]),
    [
      ['ada', 123, true, false],
      ['grace', 0, false, true],
      ['joan', -3_600_000, true, false],
    ],
  )
  t.equal((await service.post('/login', { username: 'joan', password: FOREIGN_PASSWORD })).status, 401)

  t.match(await keyturn('import', `${folder}/users.csv`), {
    code: 2,
    stdout: '',
    stderr: /columns login, pw, last_seen are unknown: say --map/,
  })
})

t.test('a file that cannot be read is said so in a sentence, with the line', async (t) => {
  const { service, keyturn, folder } = await startImporting(t, {
    'open.csv': `username,password_hash\nada,${HASH}\ngrace,"${HASH}\njoan,${HASH}\n`,
    'short.csv': `username,password_hash,email\nada,${HASH},\ngrace\n`,
    'twice.csv': `username,username\nada,ada\n`,
    'quote.csv': `username,password_hash\nada,${HASH}"y"\n`,
    'closing.csv': `username,password_hash\nada,"${HASH}"y\n`,
    'long.csv': `username,password_hash\nada,${'x'.repeat(70_000)}\n`,
    'latin.csv': Buffer.from(`username,password_hash,email\nada,${HASH},j\u00f6rg@example.com\n`, 'latin1'),
    'empty.jsonl': '\n',
    'users.txt': 'ada\n',
    folder: {},
  })
  const faults: [string[], number, RegExp][] = [
    [['open.csv'], 1, /not CSV at line 4, column password_hash: a quote is opened and not closed/],
    [['short.csv'], 1, /not CSV at line 3.*: it has more or fewer values/],
    [['twice.csv'], 1, /two columns named username/],
    [['quote.csv'], 1, /not CSV at line 2, column password_hash: a quote stands within/],
    [['closing.csv'], 1, /not CSV at line 2, column password_hash: something follows a closing/],
    [['long.csv'], 1, /not CSV at line 2, column password_hash: a record has more than 65536 bytes/],
    [['empty.jsonl'], 1, /no accounts in it/],
    [['users.txt'], 2, /--format/],
    [['missing.jsonl'], 1, /There is no file/],
    [['folder', '--format', 'jsonl'], 1, /is a folder/],
    [['empty.jsonl', '--map', 'name=login'], 2, /ours being one of id, username/],
    [['empty.jsonl', '--apply', '--dry-run'], 2, /opposites/],
    [['short.csv', '--map', 'username=login'], 2, /columns username|no column login/],
  ]
  await Promise.all(
    faults.map(async ([[name, ...options], code, message]) => {
      const ended = await keyturn('import', `${folder}/${name}`, ...options)
      t.match(ended, { code, stdout: '', stderr: message }, `${name} ${options.join(' ')}`)
      t.notMatch(ended.stderr, /\n +at |should not happen/)
      t.notOk(ended.stderr.includes(HASH), 'no secret is repeated')
    }),
  )
  t.match(await keyturn('import', `${folder}/latin.csv`), {
    code: 1,
    stdout: /line 2, ada: email: it is not UTF-8/,
  })
  t.strictSame(await usernames(service), [])
})

t.test('a rehearsal makes no database, nor does a mistyped file; with --apply one is made', async (t) => {
  const folder = t.testdir({ 'users.jsonl': jsonLines({ username: 'ada', password_hash: HASH }) })
  const keyturn = keyturnOn({ DATABASE_URL: `sqlite:${folder}/data/keyturn.db` })
  const apply = ['import', `${folder}/users.jsonl`, '--apply']
  t.match(await keyturn('import', `${folder}/users.jsonl`), { code: 0, stdout: /^to import {2}1/ })
  t.match(await keyturn('import', `${folder}/uesrs.jsonl`, '--apply'), { code: 1, stderr: /no file/ })
  t.strictSame(readdirSync(folder), ['users.jsonl'])
  t.match(await keyturn(...apply), { code: 0, stdout: /^imported {2}1/ })
  t.match(await keyturn.json('users', 'list'), [{ username: 'ada' }])
})

t.test('what export writes, import reads: another service has the same accounts', async (t) => {
  const { keyturn, folder } = await startImporting(t, {
    'users.jsonl': jsonLines(
      {
        username: 'ada',
        password_hash: HASH,
        totp_secret: SECRET,
        email: 'ada@example.com',
        email_verified: true,
      },
      { username: 'grace', password_hash: FOREIGN_HASHES['passlib bcrypt_sha256 v2'], disabled: true },
    ),
  })
  await keyturn('import', `${folder}/users.jsonl`, '--apply')
  const file = `${folder}/export.jsonl`

  const bare = await keyturn('export', '-')
  t.match(bare, { code: 0, stderr: /^Database: .*\n$/ })
  t.notMatch(bare.stdout, /password_hash|totp_secret/)
  t.equal(bare.stdout.split('\n').length, 3)

  const whole = await keyturn('export', file, '--with-password-hashes', '--with-totp-secrets')
  t.match(whole, { code: 0, stdout: /^2 accounts written/, stderr: /hashes(.|\n)*secrets of authenticators/ })
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.match(await keyturn.events('--event', 'accounts_exported'), [
    { actor: 'operator', method: null },
    { actor: 'operator', method: 'password totp' },
  ])
  const before = readFileSync(file, 'utf8')
  t.match(await keyturn('export', file), { code: 1, stdout: '', stderr: /is there already/ })
  t.equal(readFileSync(file, 'utf8'), before)
  t.match(await keyturn('export', `${folder}/no/where.jsonl`), {
    code: 1,
    stderr: /^There is no folder .*\/no\.$/m,
  })

  const other = await t.test('there', async (t) => {
    const { service, keyturn, folder } = await startImporting(t)
    writeFileSync(`${folder}/moved.jsonl`, before)
    t.match(await keyturn.json('import', `${folder}/moved.jsonl`, '--apply'), {
      taken: 2,
      with_authenticator: 1,
    })
    const ids = await service.db.selectFrom('accounts').select('id').orderBy('id').execute()
    t.strictSame(
      ids.map(({ id }) => id),
      before
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).id)
        .sort(),
      'and the ids, which are the sub of tokens',
    )
    const { body } = await service.post('/login', { username: 'ada', password: FOREIGN_PASSWORD })
    const code = totp(SECRET, service.clock.now())
    t.equal((await service.post('/2fa/verify', { code }, body.mfa_token)).status, 200)
    t.equal((await service.post('/login', { username: 'grace', password: FOREIGN_PASSWORD })).status, 401)
  })
  return other
})
