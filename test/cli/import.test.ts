import t from 'tap'
import { FOREIGN_HASHES, FOREIGN_PASSWORD } from '../helpers/people/foreign-hashes.ts'
import { totp } from '../helpers/people/totp.ts'
import { jsonLines, startImporting, usernames } from '../helpers/programs/importing.ts'

/** Accounts move in with their password and authenticator, all or none of a file. */

const HASH = FOREIGN_HASHES['Werkzeug pbkdf2:sha256'] ?? ''
const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
/** 80 bits, as Google Authenticator and older pyotp made them. */
const SHORT_SECRET = 'JBSWY3DPEHPK3PXP'

t.test('people keep the password, hashed again at the first login', async (t) => {
  const origins = Object.keys(FOREIGN_HASHES)
  const { service, keyturn, folder } = await startImporting(t, {
    'users.jsonl': jsonLines(
      ...origins.map((origin, index) => ({
        username: `user${index}`,
        password_hash: FOREIGN_HASHES[origin],
      })),
      {
        username: 'nobody',
        password_hash: '!427s74qLPBHGKWIu9',
        email: 'n@example.com',
        email_verified: true,
      },
    ),
  })
  const report = await keyturn.json('import', `${folder}/users.jsonl`, '--apply')
  t.match(report, { applied: true, taken: origins.length + 1, skipped: [], refused: [] })
  t.equal(report.password_hashes.none, 1, 'what Django calls unusable is no password')
  for (const [index, origin] of origins.entries()) {
    const username = `user${index}`
    const loginWith = async (password: string) =>
      (await service.post('/login', { username, password })).status
    t.equal(await loginWith(`${FOREIGN_PASSWORD}!`), 401, origin)
    t.equal(await loginWith(FOREIGN_PASSWORD), 200, origin)
    const { password_hash } = await service.db
      .selectFrom('accounts')
      .select('password_hash')
      .where('username', '=', username)
      .executeTakeFirstOrThrow()
    t.match(password_hash, /^\$argon2id\$v=19\$m=8,t=1,p=1\$/, origin)
    t.equal(await loginWith(FOREIGN_PASSWORD), 200, `${origin}, rehashed`)
    t.equal(await loginWith(`${FOREIGN_PASSWORD}!`), 401, `${origin}, rehashed`)
  }
})

t.test('people keep their authenticator, and a code of it is good once', async (t) => {
  const uri = `otpauth://totp/App:grace?secret=${SECRET.toLowerCase()}&issuer=App&digits=6&period=30`
  const { service, keyturn, folder } = await startImporting(t, {
    'users.jsonl': jsonLines(
      { username: 'ada', password_hash: HASH, totp_secret: 'jbsw y3dp ehpk 3pxp' },
      { username: 'grace', password_hash: HASH, totp_secret: uri },
    ),
  })
  const report = await keyturn('import', `${folder}/users.jsonl`, '--apply')
  t.match(report, { code: 0, stdout: /^imported {2}2 {2}2 with an authenticator\n/ })
  for (const [username, secret] of [
    ['ada', SHORT_SECRET],
    ['grace', SECRET],
  ] as const) {
    const logIn = async () => (await service.post('/login', { username, password: FOREIGN_PASSWORD })).body
    const login = await logIn()
    t.match(
      login,
      { enrolled: true, methods: ['totp'] },
      'no second authenticator can be set up with the password',
    )
    t.equal((await service.post('/2fa/setup', undefined, login.mfa_token)).status, 409)
    const code = totp(secret, service.clock.now())
    const verified = await service.post('/2fa/verify', { code }, login.mfa_token)
    t.equal(verified.status, 200)
    t.equal((await service.post('/2fa/verify', { code }, (await logIn()).mfa_token)).status, 422)
    const events = (await service.get('/me/events', verified.body.access_token)).body.events
    t.match(events.at(-1), { event: 'account_imported', actor: 'operator' })
  }
})

t.test('nothing is changed without --apply, nor while anything is refused for a reason', async (t) => {
  const good = { username: 'zoe', password_hash: HASH }
  const id = '0199f3a2-5c1e-7d3b-9a44-2f1f6a0c7be1'
  const refused: [unknown, RegExp][] = [
    ['{"username": "ada" "email": 1}', /^line 3, column 20: not JSON/],
    ['["ada"]', /^line 4: not an object/],
    [{ username: 'ada', pasword_hash: HASH }, /^line 5: unknown: pasword_hash/],
    [{ password_hash: HASH }, /^line 6: username: it is missing/],
    [{ username: 'a b', password_hash: HASH }, /^line 7, a b: username: it may have only/],
    [{ username: 7, password_hash: HASH }, /^line 8, 7: username: it must have 3 to 64/],
    [{ username: 'ada' }, /^line 9, ada: password_hash: it is missing, and without a proven/],
    [{ username: 'ada', password_hash: 'correct horse' }, /password_hash: The hash is of no known kind/],
    [
      { username: 'ada', password_hash: '!427s74qLPBHGKWIu9' },
      /password_hash: it is missing, and without a proven/,
    ],
    [
      { username: 'ada', password_hash: `$argon2id$v=19$m=1,t=1,p=1$c29tZXNhbHQ$${'A'.repeat(43)}` },
      /cannot run/,
    ],
    [{ username: 'ada', password_hash: `$2b$31$${'a'.repeat(53)}` }, /password_hash: .*too much work/],
    [{ ...good, username: 'ada', totp_secret: 'not base32!' }, /totp_secret: it is not base32/],
    [{ ...good, username: 'ada', totp_secret: 'JBSWY3DP' }, /totp_secret: it has 5 bytes/],
    [{ ...good, username: 'ada', totp_secret: SECRET, totp_digits: 8 }, /have 8 digits; here they have 6/],
    [{ ...good, username: 'ada', totp_secret: SECRET, totp_period: '60' }, /last 60 seconds/],
    [{ ...good, username: 'ada', totp_secret: SECRET, totp_algorithm: 'SHA256' }, /it uses SHA256/],
    [{ ...good, username: 'ada', totp_secret: `otpauth://totp/a?secret=${SECRET}&digits=8` }, /8 digits/],
    [{ ...good, username: 'ada', totp_secret: `otpauth://hotp/a?secret=${SECRET}` }, /not of TOTP/],
    [{ ...good, username: 'ada', email: 'a@b, c@d' }, /email: The email address must be/],
    [{ ...good, username: 'ada', id: '7' }, /id: it is not a UUID/],
    [{ ...good, username: 'ada', created_at: 'yesterday' }, /created_at: it is not a time/],
    [{ ...good, username: 'ada', created_at: '2999-01-01' }, /created_at: .*still to come/],
    [{ ...good, username: 'ada', disabled: 'perhaps' }, /disabled: it is neither/],
    [{ ...good, username: 'ada', disabled: 'constructor' }, /disabled: it is neither/],
    [{ ...good, username: { toString: 1 } }, /username: it is not text/],
    [{ ...good, username: 'ada', created_at: [{ toString: 1 }] }, /created_at: it is not a time/],
    [{ ...good, username: 'ZOE' }, /the same name \(ignoring case\) or id as in line 1/],
    [{ ...good, username: 'ada', id }, /the same name \(ignoring case\) or id as in line 2/],
  ]
  const lines = refused.map(([record]) => (typeof record === 'string' ? record : JSON.stringify(record)))
  const { service, keyturn, folder } = await startImporting(t, {
    'users.jsonl': `${jsonLines(good, { ...good, username: 'yves', id })}${lines.join('\n')}\n`,
    'good.jsonl': jsonLines(good),
  })
  const file = `${folder}/users.jsonl`

  const [rehearsal, apply] = await Promise.all([
    keyturn('import', file, '--json'),
    keyturn('import', file, '--apply'),
  ])
  const report = JSON.parse(rehearsal.stdout)
  t.match(report, { applied: false, records: 2 + refused.length, taken: 2 })
  for (const [index, [, reason]] of refused.entries()) {
    const { place, username, reasons } = report.refused[index] ?? {}
    t.match(`${[place, username].filter(Boolean).join(', ')}: ${reasons?.join('; ')}`, reason)
  }
  t.match([rehearsal.code, apply.code], [1, 1])
  t.match(apply.stdout, /Nothing was changed/)
  t.match(apply.stdout, /and 8 more: --json has them all/)
  t.match(await keyturn('import', `${folder}/good.jsonl`), { code: 0, stdout: /^to import {2}1/ })
  t.strictSame(await usernames(service), [])
  for (const secret of [HASH, SECRET, 'correct horse', 'not base32!'])
    t.notOk(`${rehearsal.stdout}${apply.stdout}${apply.stderr}`.includes(secret), 'no secret is repeated')

  const partial = await keyturn('import', file, '--apply', '--skip-refused')
  t.match(partial, { code: 0, stdout: /^imported {2}2/ })
  t.strictSame(await usernames(service), ['yves', 'zoe'])
  t.match(await keyturn.json('import', file, '--apply', '--skip-refused'), {
    taken: 0,
    skipped: [
      { place: 'line 1', username: 'zoe' },
      { place: 'line 2', username: 'yves' },
    ],
  })
})

t.test('under USERNAMES=plain a name with an @ is refused, with the reason', async (t) => {
  const { folder, keyturn } = await startImporting(
    t,
    { 'users.jsonl': jsonLines({ username: 'ada@example.com', password_hash: HASH }) },
    { environment: { USERNAMES: 'plain' } },
  )
  const { stdout } = await keyturn('import', `${folder}/users.jsonl`, '--json')
  t.match(JSON.parse(stdout).refused, [
    { username: 'ada@example.com', reasons: ['username: it has an @, which USERNAMES=plain does not allow'] },
  ])
})
