import { randomBytes } from 'node:crypto'
import { chmodSync } from 'node:fs'
import t from 'tap'
import { readConfig } from '../src/config.ts'
import { parseEnvFile } from '../src/platform/env-file.ts'
import { misspelt } from '../src/platform/environment.ts'
import { faultsOf } from './helpers/service/config-faults.ts'

/** What people get wrong is answered by a sentence that says what to do, and leaves no door open in silence. */

const KEY = randomBytes(32).toString('base64')
const folder = t.testdir({ empty: '\n', key: `${KEY}\n`, 'kept.key': `${KEY}\n` })

const MAIL = { SMTP_URL: 'smtp://localhost', MAIL_FROM: 'a@b.example' }

/** One mistake each, and the one sentence that the start is refused with. */
const MISTAKES: readonly [environment: Record<string, string>, sentence: string][] = [
  // Names.
  [
    { REGISTRATON: 'closed' },
    "REGISTRATON is no setting: REGISTRATION is meant? Rename it, or set REGISTRATION if it is another's",
  ],
  [
    { MFA_POLCY: 'required' },
    "MFA_POLCY is no setting: MFA_POLICY is meant? Rename it, or set MFA_POLICY if it is another's",
  ],
  [
    { TRUST_PROXIES: '10.0.0.1' },
    "TRUST_PROXIES is no setting: TRUST_PROXY is meant? Rename it, or set TRUST_PROXY if it is another's",
  ],
  [
    { REDIS_URI: 'redis://localhost' },
    "REDIS_URI is no setting: REDIS_URL is meant? Rename it, or set REDIS_URL if it is another's",
  ],
  [
    { RATELIMIT: 'on' },
    "RATELIMIT is no setting: RATE_LIMIT is meant? Rename it, or set RATE_LIMIT if it is another's",
  ],
  [
    { ACCESS_TOKEN_TTLS: '60' },
    "ACCESS_TOKEN_TTLS is no setting: ACCESS_TOKEN_TTL is meant? Rename it, or set ACCESS_TOKEN_TTL if it is another's",
  ],
  [
    { registration: 'closed' },
    "registration is no setting: REGISTRATION is meant? Rename it, or set REGISTRATION if it is another's",
  ],
  [
    { KEYTURN_REGISTRATION: 'closed' },
    "KEYTURN_REGISTRATION is no setting: REGISTRATION is meant? Rename it, or set REGISTRATION if it is another's",
  ],
  [
    { SMTP_URL_FIEL: '/x' },
    "SMTP_URL_FIEL is no setting: SMTP_URL_FILE is meant? Rename it, or set SMTP_URL_FILE if it is another's",
  ],
  // What cannot be seen comes along from web pages, and would stand in each token.
  [
    { ISSUER: 'https://id.example.com\u{200b}' },
    'ISSUER has a blank or a character that cannot be seen: type it again',
  ],
  [
    { AUDIENCE: 'api\u{200b}x' },
    'AUDIENCE must be names without blanks or invisible characters, separated by commas',
  ],
  [{ NODE_ENV: 'prod' }, 'NODE_ENV must be production, not "prod"'],
  // Values of other kinds than they look like.
  [
    { REGISTRATION: '"closed"' },
    'REGISTRATION begins and ends with a quote, which is a part of its value here: take both away',
  ],
  [{ REGISTRATION: 'Closed' }, 'REGISTRATION must be open or closed, not "Closed"'],
  [{ MFA_POLICY: 'on' }, 'MFA_POLICY must be required or optional, not "on"'],
  [{ RATE_LIMIT: 'true' }, 'RATE_LIMIT must be on or off, not "true"'],
  [{ PORT: '3000/tcp' }, 'PORT must be a whole number from 0 to 65535, not "3000/tcp"'],
  [{ ACCESS_TOKEN_TTL: '10m' }, 'ACCESS_TOKEN_TTL must be a whole number from 10 to 3600, not "10m"'],
  [{ METRICS_PORT: '3000' }, 'METRICS_PORT must be another port than PORT'],
  [
    { LOG_LEVEL: 'verbose' },
    'LOG_LEVEL must be fatal or error or warn or info or debug or trace or silent, not "verbose"',
  ],
  [{ JWT_ALG: 'HS256' }, 'JWT_ALG must be ES256 or EdDSA or RS256, not "HS256"'],
  [{ APP_NAME: 'a'.repeat(65) }, 'APP_NAME must be at most 64 characters, none of them a control character'],
  // Places.
  [
    { HOST: 'localhost:3000' },
    'HOST must be an address or a name alone, like 127.0.0.1 or localhost, not "localhost:3000"',
  ],
  [
    { HOST: 'http://127.0.0.1' },
    'HOST must be an address or a name alone, like 127.0.0.1 or localhost, not "http://127.0.0.1"',
  ],
  [
    { HOST: '[::1]', ISSUER: 'https://id.example.com' },
    'HOST must be an address or a name alone, like 127.0.0.1 or localhost, not "[::1]"',
  ],
  [
    { HOST: '192.168.1.300' },
    'HOST must be an address or a name alone, like 127.0.0.1 or localhost, not "192.168.1.300"',
  ],
  [
    { METRICS_HOST: '0.0.0.0:9464' },
    'METRICS_HOST must be an address or a name alone, like 127.0.0.1 or localhost, not "0.0.0.0:9464"',
  ],
  [
    { DATABASE_URL: 'sqlite:~/keyturn.db' },
    'DATABASE_URL has a ~, which no shell replaces here: write the whole path',
  ],
  [
    { DATABASE_URL: 'sqlite:///~/keyturn.db' },
    'DATABASE_URL has a ~, which no shell replaces here: write the whole path',
  ],
  [{ DATABASE_URL: 'sqlite: ./data/keyturn.db' }, 'DATABASE_URL has a blank before the path: sqlite:<path>'],
  [
    { DATABASE_URL: 'sqlite://data/keyturn.db' },
    'DATABASE_URL has one slash too many: sqlite:<path>, or sqlite:///<path>',
  ],
  [
    { DATABASE_URL: 'sqlite:./keyturn.db?mode=rwc' },
    'DATABASE_URL is sqlite:<path> and nothing else: what follows ? is not read',
  ],
  [
    { DATABASE_URL: 'file:keyturn.db' },
    'DATABASE_URL must be sqlite:<path> or postgres://<user>@<host>/<database>',
  ],
  [
    { DATABASE_URL: 'mysql://root@localhost/x' },
    'DATABASE_URL must be sqlite:<path> or postgres://<user>@<host>/<database>',
  ],
  [
    { DATABASE_URL: 'postgres://localhost', SECRET_KEY: KEY },
    'DATABASE_URL must be postgres://<user>@<host>/<database>',
  ],
  [
    { DATABASE_URL: 'postgres://localhost/x' },
    'SECRET_KEY must be set with PostgreSQL: openssl rand -base64 32 makes one',
  ],
  [
    { REDIS_URL: 'localhost:6379' },
    'REDIS_URL must be a URL like redis://127.0.0.1:6379 or rediss://user:password@host:6379',
  ],
  [
    { REDIS_URL: 'redis://10.0.0.9' },
    'REDIS_URL must speak TLS (rediss://): what goes to another machine in clear text can be read on the way. ?tls=off allows it',
  ],
  [{ ISSUER: 'id.example.com' }, 'ISSUER must be an http or https URL without user, query or fragment'],
  [
    { AUDIENCE: 'my api' },
    'AUDIENCE must be names without blanks or invisible characters, separated by commas',
  ],
  [{ TRUST_PROXY: 'true' }, 'TRUST_PROXY must be addresses or CIDR ranges, separated by commas, not "true"'],
  [
    { TRUST_PROXY: '0.0.0.0/0' },
    'TRUST_PROXY has a range of all addresses (0.0.0.0/0), which would trust everyone: name the proxies',
  ],
  [
    { TRUST_PROXY: '10.0.0.0/8, ::/0' },
    'TRUST_PROXY has a range of all addresses (::/0), which would trust everyone: name the proxies',
  ],
  [
    { TRUST_PROXY: '::ffff:0:0/96' },
    'TRUST_PROXY has a range of all addresses (::ffff:0:0/96), which would trust everyone: name the proxies',
  ],
  [
    { TRUST_PROXY: '64:ff9b::/96' },
    'TRUST_PROXY has a range of all addresses (64:ff9b::/96), which would trust everyone: name the proxies',
  ],
  [
    { TRUST_PROXY: '10.0.0.0/8, ::/64' },
    'TRUST_PROXY has a range of all addresses (::/64), which would trust everyone: name the proxies',
  ],
  [
    { TRUST_PROXY: '10.0.0.0/33' },
    'TRUST_PROXY must be addresses or CIDR ranges, separated by commas, not "10.0.0.0/33"',
  ],
  [{ CORS_ORIGINS: '*' }, 'CORS_ORIGINS must be whole origins: a wildcard as in "*" never matches'],
  [
    { CORS_ORIGINS: 'https://app.example.com/' },
    'CORS_ORIGINS must be origins like https://app.example.com or capacitor://localhost, not "https://app.example.com/"',
  ],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'nonsense' }, 'OTEL_EXPORTER_OTLP_ENDPOINT must be a URL'],
  // Mail.
  [{ SMTP_URL: 'smtp://localhost' }, 'MAIL_FROM must be set when SMTP_URL is'],
  [
    { SMTP_URL: 'smtp://mail?ignoreTls=true', MAIL_FROM: 'a@b.example' },
    'SMTP_URL has ?ignoreTls=, which is spelt ?ignoreTLS=',
  ],
  [{ SMTP_URL: 'mail.example.com:587', MAIL_FROM: 'a@b.example' }, 'SMTP_URL must be an smtp or smtps URL'],
  [{ EMAIL_CODES: 'on' }, 'EMAIL_CODES needs SMTP_URL and MAIL_FROM'],
  [{ RESET_URL: 'https://x/{token}' }, 'RESET_URL needs SMTP_URL and MAIL_FROM'],
  [
    { ...MAIL, RESET_URL: 'https://app.example.com/reset' },
    'RESET_URL must have {token} in it once, where the token goes',
  ],
  [
    { ...MAIL, VERIFY_URL: 'http://app.example.com/{token}' },
    'VERIFY_URL must be an https URL, or one of an app such as myapp://reset?token={token}; http only to this machine',
  ],
  // Secrets.
  [
    { SECRET_KEY: 'secret' },
    'SECRET_KEY must be base64 of 32 bytes or more (several: separated by commas): openssl rand -base64 32 makes one',
  ],
  [
    { SECRET_KEY: 'change-me-change-me-change-me-change-me' },
    'SECRET_KEY must be base64 of 32 bytes or more (several: separated by commas): openssl rand -base64 32 makes one',
  ],
  [
    { NODE_ENV: 'production', DATABASE_URL: `sqlite:${folder}/new.db` },
    'SECRET_KEY must be set when NODE_ENV is production: openssl rand -base64 32 makes one',
  ],
  [
    { NODE_ENV: 'production', DATABASE_URL: `sqlite:${folder}/kept.db` },
    `SECRET_KEY must be set when NODE_ENV is production. The key that was made for this database is in ${folder}/kept.key: SECRET_KEY_FILE=${folder}/kept.key uses it`,
  ],
  [
    { NODE_ENV: 'production', SECRET_KEY: KEY, HOST: '0.0.0.0' },
    'ISSUER must be set when NODE_ENV is production and HOST is 0.0.0.0: every token names it',
  ],
  [
    { SECRET_KEY: KEY, SECRET_KEY_FILE: `${folder}/key` },
    'SECRET_KEY and SECRET_KEY_FILE are both set: give one',
  ],
  [{ REDIS_URL_FILE: `${folder}/empty` }, `REDIS_URL_FILE names ${folder}/empty, which is empty`],
  [{ DATABASE_URL_FILE: '/nowhere' }, 'DATABASE_URL_FILE cannot be read: ENOENT'],
]

t.test('each of these mistakes keeps the service from starting, with this one sentence', async (t) => {
  t.ok(MISTAKES.length >= 40)
  for (const [environment, sentence] of MISTAKES)
    t.strictSame(faultsOf(environment), [sentence], JSON.stringify(environment))
})

/** Settings that keep a door shut, with a value that does, where another one is the default. */
const DOORS: Record<string, string> = {
  REGISTRATION: 'closed',
  USERNAMES: 'plain',
  MFA_POLICY: 'required',
  RATE_LIMIT: 'on',
  EMAIL_CODES: 'off',
  NODE_ENV: 'development',
  SECRET_KEY: KEY,
  SECRET_KEY_FILE: `${folder}/key`,
  DATABASE_URL: 'sqlite:./other.db',
  ISSUER: 'https://id.example.com',
  AUDIENCE: 'https://api.example.com',
  ACCESS_TOKEN_TTL: '60',
  MFA_TOKEN_TTL: '60',
  REFRESH_TOKEN_TTL: '3600',
  AUDIT_RETENTION_DAYS: '30',
  MAX_SESSIONS: '3',
  UNENROLLED_DAYS: '1',
  TRUST_PROXY: '192.0.2.1',
  CORS_ORIGINS: 'https://app.example.com',
  WEBAUTHN_RP_ID: 'example.com',
  WEBAUTHN_ORIGINS: 'https://app.example.com',
  REDIS_URL: 'rediss://redis.example.com',
  ARGON2_MEMORY_KIB: '65536',
  ARGON2_TIME: '3',
  METRICS_HOST: '127.0.0.1',
}

/** As a finger slips: a letter left out, doubled or swapped with the next one. */
function slips(name: string): string[] {
  const at = Array.from(name, (_, index) => index)
  return [
    ...at.map((index) => name.slice(0, index) + name.slice(index + 1)),
    ...at.map((index) => name.slice(0, index + 1) + name.slice(index)),
    ...at.map(
      (index) =>
        name.slice(0, index) +
        name
          .slice(index, index + 2)
          .split('')
          .reverse()
          .join('') +
        name.slice(index + 2),
    ),
    name.toLowerCase(),
    name.replaceAll('_', ''),
  ].filter((slip) => slip !== name)
}

t.test('no door is left open in silence, however its setting is got wrong', async (t) => {
  const { warnings: _, ...nothing } = readConfig({})
  for (const [name, value] of Object.entries(DOORS)) {
    const alone =
      name === 'WEBAUTHN_RP_ID'
        ? { ISSUER: 'https://example.com' }
        : name === 'WEBAUTHN_ORIGINS'
          ? { WEBAUTHN_RP_ID: 'example.com' }
          : {}
    const silent = slips(name).filter(
      (slip) => !faultsOf({ ...alone, [slip]: value }).some((fault) => fault.includes(name)),
    )
    t.strictSame(silent, [], `${name} misspelt`)
    for (const quote of ['"', "'"])
      t.match(
        faultsOf({ ...alone, [name]: quote + value + quote })[0],
        new RegExp(`^${name} begins and ends`),
        `${name} quoted`,
      )
    t.strictSame(
      readConfig({ ...alone, [name]: ` ${value}\t` }),
      readConfig({ ...alone, [name]: value }),
      `${name} padded`,
    )
    const { warnings, ...empty } = readConfig({ [name]: ' ' })
    t.strictSame(empty, nothing, `${name} empty`)
    t.match(warnings, [new RegExp(`count as not set, and their defaults hold: ${name}$`)], `${name} empty`)
  }
})

t.test('what other programs set is no mistake', async (t) => {
  const others = [
    ...[
      'HOME',
      'HOSTNAME',
      'USER',
      'USERNAME',
      'LOGNAME',
      'MAIL',
      'LANG',
      'PATH',
      'SHELL',
      'TERM',
      'PWD',
      'SHLVL',
      'TZ',
    ],
    ...['DATABASE_USER', 'DATABASE_HOST', 'DATABASE_NAME', 'DATABASE_PASSWORD', 'DATABASE_PORT', 'DB_URL'],
    ...['REDIS_HOST', 'REDIS_PORT', 'SMTP_HOST', 'SMTP_PORT', 'SMTP_USER', 'MAIL_HOST', 'SECRET_KEY_BASE'],
    ...['KEYTURN_PORT', 'KEYTURN_SERVICE_HOST', 'KEYTURN_SERVICE_PORT', 'KEYTURN_PASSWORD', 'KEYTURN_IMAGE'],
    ...[
      'HTTP_PROXY',
      'HTTPS_PROXY',
      'NO_PROXY',
      'NODE_OPTIONS',
      'NODE_PATH',
      'NODE_VERSION',
      'npm_config_registry',
    ],
    ...['OTEL_SERVICE_NAME', 'OTEL_METRICS_EXPORTER', 'OTEL_LOGS_EXPORTER', 'OTEL_EXPORTER_OTLP_HEADERS'],
    ...[
      'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
      'POSTGRES_PASSWORD',
      'PGPASSWORD',
      'JWT_SECRET',
      'APP_ENV',
      'APP_KEY',
    ],
    ...['LOG_FORMAT', 'CI', 'DEBUG', 'EDITOR', 'COLORTERM', 'DISPLAY', 'INVOCATION_ID', 'JOURNAL_STREAM'],
  ]
  t.strictSame(faultsOf(Object.fromEntries(others.map((name) => [name, 'x']))), [])
  t.strictSame(
    faultsOf({ REDIS_URI: 'x', REDIS_URL: 'redis://localhost' }),
    [],
    'nor what is set next to ours',
  )
  const SECRET_KEY_FILE = `${t.testdir({ key: KEY })}/key`
  t.strictSame(faultsOf({ S3_SECRET_KEY: 'x', SECRET_KEY_FILE }), [], 'nor next to the file of ours')
  t.strictSame(faultsOf({ S3_SECRET_KEY_FILE: 'x', SECRET_KEY: KEY }), [], 'nor a file of others')
  t.strictSame(misspelt(['REDIS_URL'], ['REDIS_URL']), [])
})

t.test('each secret may stand in a file, and one that everybody can read is said at start', async (t) => {
  const SMTP_URL = 'smtps://user:pass@mail.example.com'
  const files = t.testdir({
    database: '\u{feff}sqlite:./other.db\r\n',
    redis: 'rediss://:pass@redis.example.com\n',
    smtp: `${SMTP_URL}\n`,
    key: KEY,
  })
  for (const name of ['database', 'redis', 'smtp', 'key']) chmodSync(`${files}/${name}`, 0o600)
  const environment = {
    DATABASE_URL_FILE: `${files}/database`,
    REDIS_URL_FILE: `${files}/redis`,
    SMTP_URL_FILE: `${files}/smtp`,
    SECRET_KEY_FILE: `${files}/key`,
    MAIL_FROM: 'a@b.example',
  }
  const config = readConfig(environment)
  t.match(config, {
    databaseUrl: 'sqlite:./other.db',
    redisUrl: 'rediss://:pass@redis.example.com',
    smtpUrl: SMTP_URL,
  })
  t.strictSame([config.secretKeys, config.warnings], [[Buffer.from(KEY, 'base64')], []])
  chmodSync(`${files}/smtp`, 0o644)
  t.match(readConfig(environment).warnings, [
    /^SMTP_URL_FILE names .*\/smtp, which everybody .* can read: chmod 600/,
  ])
})

t.test('a secret in the place of its file is not repeated', (t) => {
  const secrets = { SECRET_KEY_FILE: KEY, DATABASE_URL_FILE: 'postgres://ada:hunter2@localhost/db' }
  const said = faultsOf(secrets).join('\n')
  t.match(said, /SECRET_KEY_FILE cannot be read: ENOENT$/m)
  for (const secret of [KEY, 'hunter2']) t.notOk(said.includes(secret))
  t.end()
})

t.test('.env is read in the encodings that editors write', async (t) => {
  const text =
    'REGISTRATION=closed\r\n# a comment\r\nexport APP_NAME="Ada & Söhne #1" # more\r\nISSUER=\'https://id.example.com\'\r\n'
  const values = { REGISTRATION: 'closed', APP_NAME: 'Ada & Söhne #1', ISSUER: 'https://id.example.com' }
  const utf16 = Buffer.from(`\u{feff}${text}`, 'utf16le')
  for (const [encoding, bytes] of Object.entries({
    'UTF-8': Buffer.from(text),
    'UTF-8 with a mark': Buffer.from(`\u{feff}${text}`),
    'UTF-16': utf16,
    'UTF-16, the other way round': Buffer.from(utf16).swap16(),
    'old Macintosh': Buffer.from(text.replaceAll('\r\n', '\r')),
  }))
    t.strictSame(parseEnvFile(bytes), { values, faults: [] }, encoding)
})

t.test('a # in quotes, after a blank or in a comment of .env is what it looks like', (t) => {
  const text = 'A="C# #1"#x\nB=\'p#w\' # y#z\nC=c # y#z\nD= # d#e\nE=e\t#f\n# G=g#h\nI=`i#\nj`\n'
  t.strictSame(parseEnvFile(Buffer.from(text)), {
    values: { A: 'C# #1', B: 'p#w', C: 'c', D: '', E: 'e', I: 'i#\nj' },
    faults: [],
  })
  t.end()
})

t.test('blanks after a name without a value do not swallow the next line of .env', (t) => {
  for (const blanks of [' ', '\t', ' \t ', ' \r'])
    t.strictSame(parseEnvFile(Buffer.from(`APP_NAME=${blanks}\nREGISTRATION=closed\n`)), {
      values: { APP_NAME: '', REGISTRATION: 'closed' },
      faults: [],
    })
  t.end()
})

t.test('.env that cannot be read as it is meant is refused, without its values', async (t) => {
  for (const [bytes, faults] of [
    [Buffer.from('REGISTRATION=closed', 'utf16le'), [/^\.env is not a text in UTF-8/]],
    [Buffer.from('APP_NAME=S\xf6hne', 'latin1'), [/^\.env is not a text in UTF-8/]],
    ['PORT=1\n\nREGISTRATION: closed\n', [/^\.env, line 3: it is not NAME=value/]],
    ['REGISTRATION closed', [/^\.env, line 1:/]],
    // Node.js takes the tab for a part of the name.
    ['export\tREGISTRATION=closed', [/^\.env, line 1:/]],
    ['A="b\nc"\nhunter2\n', [/^\.env, line 3:/]],
    ['REGISTRATION=closed\nREGISTRATION=open\n', [/^\.env sets REGISTRATION twice/]],
    // Node.js would end the value there.
    ['PORT=1\nAPP_NAME=C# hunter2\n', [/^\.env, line 2: a # begins a comment: put the value in quotes/]],
    ['A="b\nc"\nexport SMTP_URL=smtp://u:p#hunter2@mail # a comment\n', [/^\.env, line 3: a #/]],
    ['APP_NAME=#hunter2', [/^\.env, line 1: a #/]],
    ['APP_NAME=x"#hunter2"', [/^\.env, line 1: a #/]],
  ] as const) {
    const found = parseEnvFile(Buffer.from(bytes)).faults
    t.match(found, faults)
    t.equal(found.length, faults.length)
    t.notMatch(found.join(), /closed|hunter2/)
  }
})
