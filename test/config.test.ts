import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import t from 'tap'
import { ConfigError, readConfig } from '../src/config.ts'
import { faultsOf } from './helpers/service/config-faults.ts'

/** A configuration is complete and right, or the process does not start and says everything that is wrong. */

const KEY = randomBytes(32).toString('base64')
const OTHER_KEY = randomBytes(48).toString('base64url')

t.test('with nothing set, everything is as the documentation says', async (t) => {
  const cores = availableParallelism()
  t.strictSame(
    { ...readConfig({}) },
    {
      host: '127.0.0.1',
      port: 3000,
      keepAliveSeconds: 75,
      databaseUrl: 'sqlite:./data/keyturn.db',
      databasePoolSize: 10,
      secretKeys: null,
      issuer: 'http://127.0.0.1:3000',
      audiences: ['http://127.0.0.1:3000'],
      appName: 'Keyturn',
      mfaPolicy: 'required',
      registration: 'open',
      usernames: 'any',
      jwtAlg: 'ES256',
      accessTokenTtl: 600,
      mfaTokenTtl: 300,
      refreshTokenTtl: 2_592_000,
      auditRetentionDays: 365,
      maxSessions: 100,
      unenrolledDays: 30,
      smtpUrl: '',
      mailFrom: null,
      ownMails: {},
      emailCodes: false,
      resetUrl: '',
      verifyUrl: '',
      docs: true,
      redisUrl: '',
      trustProxy: [],
      corsOrigins: [],
      relyingParty: { id: 'localhost', origins: ['http://localhost:3000'] },
      rateLimit: true,
      hashEngine: 'auto',
      argon2: { memoryKib: 19_456, passes: 2, parallelism: 1 },
      hashConcurrency: cores,
      hashQueue: 16 * cores,
      logLevel: 'info',
      metricsHost: '127.0.0.1',
      metricsPort: 0,
      traces: false,
      warnings: [],
    },
  )
  t.throws(() => {
    ;(readConfig({}) as { port: number }).port = 1
  }, 'and nobody changes it afterwards')
})

t.test('every variable is read', async (t) => {
  const config = readConfig({
    HOST: '0.0.0.0',
    PORT: '8443',
    KEEP_ALIVE_SECONDS: '620',
    DATABASE_URL: 'postgres://keyturn:pass@db.example.com/keyturn',
    DATABASE_POOL_SIZE: '7',
    SECRET_KEY: `${KEY}, ${OTHER_KEY}`,
    ISSUER: 'https://id.example.com/',
    AUDIENCE: 'https://api.example.com, orders',
    APP_NAME: 'Émile & Co',
    MFA_POLICY: 'optional',
    REGISTRATION: 'closed',
    USERNAMES: 'plain',
    JWT_ALG: 'EdDSA',
    ACCESS_TOKEN_TTL: '61',
    MFA_TOKEN_TTL: '62',
    REFRESH_TOKEN_TTL: '63',
    AUDIT_RETENTION_DAYS: '64',
    MAX_SESSIONS: '64',
    UNENROLLED_DAYS: '0',
    SMTP_URL: 'smtps://user:pass@mail.example.com:465',
    MAIL_FROM: 'Keyturn <no-reply@example.com>',
    MAIL_TEMPLATES: t.testdir({ 'account_deleted.txt': 'Subject: Bye\n\nIt is gone.\n' }),
    EMAIL_CODES: 'on',
    RESET_URL: 'https://app.example.com/reset?token={token}',
    VERIFY_URL: 'com.example.app:/verify/{token}',
    DOCS: 'off',
    REDIS_URL: 'redis://localhost:6379',
    TRUST_PROXY: '10.0.0.0/8, ::1, 192.0.2.1',
    CORS_ORIGINS: 'https://app.example.com, http://localhost:5173',
    WEBAUTHN_RP_ID: 'example.com',
    WEBAUTHN_ORIGINS: `https://www.example.com, android:apk-key-hash:${'A'.repeat(43)}`,
    RATE_LIMIT: 'off',
    HASH_ENGINE: 'argon2',
    ARGON2_MEMORY_KIB: '65536',
    ARGON2_TIME: '3',
    ARGON2_PARALLELISM: '4',
    HASH_CONCURRENCY: '5',
    HASH_QUEUE: '6',
    LOG_LEVEL: 'debug',
    METRICS_HOST: '10.0.0.7',
    METRICS_PORT: '9464',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318',
  })
  t.strictSame(
    { ...config },
    {
      host: '0.0.0.0',
      port: 8443,
      keepAliveSeconds: 620,
      databaseUrl: 'postgres://keyturn:pass@db.example.com/keyturn',
      databasePoolSize: 7,
      secretKeys: [Buffer.from(KEY, 'base64'), Buffer.from(OTHER_KEY, 'base64url')],
      issuer: 'https://id.example.com',
      audiences: ['https://api.example.com', 'orders'],
      appName: 'Émile & Co',
      mfaPolicy: 'optional',
      registration: 'closed',
      usernames: 'plain',
      jwtAlg: 'EdDSA',
      accessTokenTtl: 61,
      mfaTokenTtl: 62,
      refreshTokenTtl: 63,
      auditRetentionDays: 64,
      maxSessions: 64,
      unenrolledDays: 0,
      smtpUrl: 'smtps://user:pass@mail.example.com:465',
      mailFrom: { name: 'Keyturn', address: 'no-reply@example.com' },
      ownMails: { account_deleted: { subject: 'Bye', text: 'It is gone.' } },
      emailCodes: true,
      resetUrl: 'https://app.example.com/reset?token={token}',
      verifyUrl: 'com.example.app:/verify/{token}',
      docs: false,
      redisUrl: 'redis://localhost:6379',
      trustProxy: ['10.0.0.0/8', '::1', '192.0.2.1'],
      corsOrigins: ['https://app.example.com', 'http://localhost:5173'],
      relyingParty: {
        id: 'example.com',
        origins: ['https://www.example.com', `android:apk-key-hash:${'A'.repeat(43)}`],
      },
      rateLimit: false,
      hashEngine: 'argon2',
      argon2: { memoryKib: 65_536, passes: 3, parallelism: 4 },
      hashConcurrency: 5,
      hashQueue: 6,
      logLevel: 'debug',
      metricsHost: '10.0.0.7',
      metricsPort: 9464,
      traces: true,
      warnings: [],
    },
  )
})

t.test('an empty variable is one that is not set, and blanks around a value do not matter', async (t) => {
  const { warnings, ...config } = readConfig({ PORT: '', ISSUER: ' ', SECRET_KEY: '', APP_NAME: '' })
  t.strictSame({ ...config, warnings: [] }, { ...readConfig({}) })
  t.match(warnings, [/^Settings without a value .*: PORT, ISSUER, SECRET_KEY, APP_NAME$/])
  t.equal(readConfig({ PORT: ' 80 ' }).port, 80)
})

t.test('the issuer follows the address that is listened on', async (t) => {
  t.equal(readConfig({ HOST: '::1', PORT: '80' }).issuer, 'http://[::1]:80')
  t.equal(readConfig({ ISSUER: 'https://id.example.com/auth/' }).audiences[0], 'https://id.example.com/auth')
})

const BAD: Record<string, string[]> = {
  AUDIENCE: ['my api', 'https://api.example.com,my api'],
  PORT: ['-1', '65536', '3000.5', '0x50', '1e3', 'http', '３０００'],
  DATABASE_URL: [
    ...['keyturn.db', 'sqlite:', 'mysql://localhost/x', 'file:x.db'],
    ...['postgres://', 'postgres://localhost', 'postgres://localhost/', 'postgresql:/x y'],
    ...['require', 'prefer', 'allow', 'verify-ca', 'VERIFY-FULL', ''].map(
      (mode) => `postgres://db.example.com/x?sslmode=${mode}`,
    ),
  ],
  DATABASE_POOL_SIZE: ['0', '1001', 'many'],
  SECRET_KEY: [
    'secret',
    'change-me-change-me-change-me-change-me',
    Buffer.alloc(32).toString('base64'),
    'A'.repeat(44),
    Buffer.from('ab'.repeat(16)).toString('base64'),
    randomBytes(31).toString('base64'),
    `${KEY},`,
    `${KEY},short`,
    `,${KEY}`,
    `${KEY} ${OTHER_KEY}`,
    'ä'.repeat(44),
  ],
  SECRET_KEY_FILE: ['/nowhere/at/all', '/', '/dev/null'],
  ISSUER: ['example.com', 'ftp://x', 'https://x/?a=b', 'https://x/#a', 'https://me:secret@x', 'javascript:1'],
  APP_NAME: ['a'.repeat(65), '鍵'.repeat(14), 'é'.repeat(21), 'a\nb', 'a\u0000b'],
  MFA_POLICY: ['off', 'REQUIRED', 'none'],
  REGISTRATION: ['yes', 'true', 'Open'],
  JWT_ALG: ['HS256', 'none', 'es256', 'RS384'],
  ACCESS_TOKEN_TTL: ['0', '9', '3601', '10m', '-600'],
  MFA_TOKEN_TTL: ['0', '9', '3601', '5m'],
  REFRESH_TOKEN_TTL: ['59', '31536001', '30d'],
  MAX_SESSIONS: ['0', '10001', 'many'],
  UNENROLLED_DAYS: ['-1', '3651', '30d'],
  SMTP_URL: ['mail.example.com', 'http://x'],
  EMAIL_CODES: ['true', '1', 'On'],
  VERIFY_URL: [
    ...['https://app.example.com/verify', 'https://x/{token}?again={token}', 'https://x/{Token}', '{token}'],
    ...['app.example.com/{token}', '/verify/{token}', 'https://{token}', 'https://{token}.example.com/'],
    ...[
      'https://{token}@example.com/',
      'https://ada:{token}@example.com/',
      'myapp://{token}/',
      '{token}://x',
    ],
    ...['http://app.example.com/{token}', 'http://localhost.example.com/{token}', 'https://x/a b{token}'],
    ...['javascript:alert("{token}")', 'javascript://%0aalert("{token}")', 'JavaScript:/{token}'],
    ...['data:text/html,{token}', 'data:/text/html,{token}', 'vbscript:/{token}', 'file:///tmp/{token}'],
    ...['blob:https://x/{token}', 'mailto:ada@example.com?body={token}', 'ftp://x/{token}', 'ws://x/{token}'],
    ...['myapp:{token}', 'https://ada@example.com/{token}', 'https://x/\u200b{token}'],
  ],
  DOCS: ['yes', 'false'],
  REDIS_URL: [
    ...['localhost:6379', 'redis:localhost', 'redis://', 'http://x'],
    ...[
      'redis://redis.example.com',
      'redis://10.0.0.1:6379',
      'redis://redis?tls=on',
      'rediss://redis?tls=off',
    ],
  ],
  OTEL_EXPORTER_OTLP_ENDPOINT: ['http://collector:4318', 'http://10.0.0.1:4318?tls=on', 'HTTP://collector'],
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: ['http://collector:4318/v1/traces'],
  TRUST_PROXY: [
    '*',
    'true',
    '1',
    'loopback',
    'proxy.example.com',
    '999.1.1.1',
    '10.0.0.0/33',
    '10.0.0.0/x',
    '10.0.0',
    'abc',
    ':::',
    '::1/129',
    '0.0.0.0/0',
    '::/0',
  ],
  CORS_ORIGINS: [
    ...['*', 'https://*.example.com', 'capacitor://*', 'app.example.com', 'https://app.example.com/'],
    ...[
      'https://app.example.com/path',
      'https://app.example.com:443',
      'capacitor://localhost/',
      'file://',
      'null',
    ],
  ],
  WEBAUTHN_RP_ID: ['https://example.com', 'example.com:8443', '127.0.0.1', '[::1]', 'Example.com', 'a b'],
  WEBAUTHN_ORIGINS: [
    ...['example.com', 'http://example.com', 'https://example.com/', 'http://127.0.0.1:3000', '*'],
    ...['android:apk-key-hash:short', 'ios:bundle-id:com.example.app'],
  ],
  RATE_LIMIT: ['no', '100'],
  HASH_ENGINE: ['bcrypt', 'Argon2'],
  ARGON2_MEMORY_KIB: ['7', '262145', '19MiB'],
  ARGON2_TIME: ['0', '33'],
  ARGON2_PARALLELISM: ['0', '17'],
  HASH_CONCURRENCY: ['0', '257', 'all'],
  HASH_QUEUE: ['-1', '100001'],
  LOG_LEVEL: ['verbose', 'INFO'],
  METRICS_PORT: ['65536', 'on'],
}

for (const [name, values] of Object.entries(BAD))
  t.test(`${name} that makes no sense is a fault with its name`, async (t) => {
    for (const value of values) {
      const faults = faultsOf({ [name]: value })
      t.ok(
        faults.some((fault) => fault.startsWith(name.replace('_FILE', ''))),
        `${JSON.stringify(value)}: ${faults}`,
      )
    }
  })

t.test('a hash of a minute is a fault, whether it is one of memory or of passes', async (t) => {
  t.match(faultsOf({ ARGON2_MEMORY_KIB: '262144', ARGON2_TIME: '5' }), [
    /^ARGON2_TIME times ARGON2_MEMORY_KIB/,
  ])
  t.strictSame(faultsOf({ ARGON2_MEMORY_KIB: '262144', ARGON2_TIME: '4' }), [])
})

t.test('all faults are reported at once', async (t) => {
  const environment = Object.fromEntries(Object.entries(BAD).map(([name, [value = '']]) => [name, value]))
  const { SECRET_KEY_FILE, ...others } = environment
  const faults = faultsOf(others)
  for (const name of Object.keys(others))
    t.ok(
      faults.some((fault) => fault.startsWith(name)),
      name,
    )
  const { message } = new ConfigError(faults)
  t.match(message, `The configuration has ${faults.length} faults:\n  `)
  t.equal(message.split('\n').length, faults.length + 1, 'a line for each')
})

t.test(
  'Redis and collectors on another machine are reached in clear only where the URL says so',
  async (t) => {
    const { redisUrl } = readConfig({
      REDIS_URL: 'redis://:secret@redis.example.com:6379/1?family=6&tls=off',
    })
    t.equal(redisUrl, 'redis://:secret@redis.example.com:6379/1?family=6', 'its client would take it for TLS')
    for (const url of [
      'redis://127.0.0.1',
      'redis://[::1]:6379',
      'redis://localhost',
      'rediss://redis.example.com',
    ])
      t.equal(readConfig({ REDIS_URL: url }).redisUrl, url)
    for (const name of ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'])
      for (const url of [
        ...['http://localhost:4318', 'https://collector:4318', 'http://collector:4318?tls=off'],
        'http://collector:4318/v1/traces?tls=off',
      ])
        t.ok(readConfig({ [name]: url }).traces, `${name}=${url}`)
    const unused = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_SDK_DISABLED: 'true' }
    t.notOk(readConfig(unused).traces)
  },
)

t.test('a fault does not repeat a secret', async (t) => {
  const secret = 'hunter2hunter2hunter2'
  t.notMatch(faultsOf({ SECRET_KEY: secret }).join(), secret)
  t.notMatch(faultsOf({ SMTP_URL: `ftp://user:${secret}@x`, MAIL_FROM: 'a@b.example' }).join(), secret)
  for (const rest of ['', '/', '/y?sslmode=prefer', ':port/y'])
    t.notMatch(faultsOf({ DATABASE_URL: `postgres://user:${secret}@x${rest}` }).join(), secret)
  for (const scheme of ['http', 'redis'])
    t.notMatch(faultsOf({ REDIS_URL: `${scheme}://:${secret}@x` }).join(), secret)
  t.notMatch(faultsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://me:${secret}@x` }).join(), secret)
  t.notMatch(faultsOf({ ISSUER: `https://user:${secret}@x` }).join(), secret)
})

t.test('SECRET_KEY holds one key or several, in base64 or base64url', async (t) => {
  t.strictSame(readConfig({ SECRET_KEY: KEY }).secretKeys, [Buffer.from(KEY, 'base64')])
  t.equal(readConfig({ SECRET_KEY: `${KEY},${OTHER_KEY}` }).secretKeys?.length, 2)
})

t.test('SECRET_KEY_FILE is read in its place', async (t) => {
  const folder = t.testdir({ key: `${KEY}\n`, empty: '\n', keys: `${KEY},\n${OTHER_KEY}\n` })
  t.strictSame(readConfig({ SECRET_KEY_FILE: `${folder}/key` }).secretKeys, [Buffer.from(KEY, 'base64')])
  t.equal(readConfig({ SECRET_KEY_FILE: `${folder}/keys` }).secretKeys?.length, 2)
  t.match(faultsOf({ SECRET_KEY_FILE: `${folder}/key`, SECRET_KEY: KEY }), [/both set/])
  t.match(
    faultsOf({ SECRET_KEY_FILE: `${folder}/empty` }),
    [/SECRET_KEY_FILE/],
    'a file that is named but empty does not mean that any key will do',
  )
})

t.test('in production the key is given, not made', async (t) => {
  const DATABASE_URL = `sqlite:${t.testdir()}/keyturn.db`
  t.match(faultsOf({ NODE_ENV: 'production', DATABASE_URL }), [/^SECRET_KEY must be set/])
  t.strictSame(faultsOf({ NODE_ENV: 'production', SECRET_KEY: KEY }), [])
  t.equal(
    faultsOf({ NODE_ENV: 'production', SECRET_KEY_FILE: '/nowhere' }).length,
    1,
    'one fault, one sentence',
  )
})

t.test('with PostgreSQL the key is given, too: there is no file to keep it beside', async (t) => {
  const DATABASE_URL = 'postgres://db.example.com/keyturn'
  t.match(faultsOf({ DATABASE_URL }), [/^SECRET_KEY must be set with PostgreSQL/])
  t.strictSame(faultsOf({ DATABASE_URL, SECRET_KEY: KEY }), [])
})

t.test('mail needs a server and a sender, and mailed codes need mail', async (t) => {
  t.match(faultsOf({ SMTP_URL: 'smtp://localhost:1025' }), [/^MAIL_FROM/])
  t.match(faultsOf({ EMAIL_CODES: 'on' }), [/^EMAIL_CODES/])
  t.match(faultsOf({ RESET_URL: 'https://x/{token}', VERIFY_URL: 'https://x/{token}' }), [
    /^RESET_URL needs SMTP_URL/,
    /^VERIFY_URL needs SMTP_URL/,
  ])
  const mail = { SMTP_URL: 'smtp://localhost:1025', MAIL_FROM: 'a@b.example' }
  for (const RESET_URL of [
    ...[
      'https://app.example.com/#/reset/{token}',
      'http://localhost:5173/{token}',
      'http://127.0.0.1/?t={token}',
    ],
    ...['http://[::1]:5173/{token}', 'myapp://reset?token={token}', 'com.example.app:/reset/{token}'],
  ])
    t.strictSame(faultsOf({ ...mail, RESET_URL }), [], RESET_URL)
  t.strictSame(
    faultsOf({ SMTP_URL: 'smtp://localhost:1025', MAIL_FROM: 'a@b.example', EMAIL_CODES: 'on' }),
    [],
  )
})

t.test('metrics have a port that is not the public one', async (t) => {
  t.match(faultsOf({ PORT: '9464', METRICS_PORT: '9464' }), [/^METRICS_PORT/])
  t.strictSame(faultsOf({ PORT: '0', METRICS_PORT: '0' }), [])
})

t.test(
  'there are traces when the standard variables say where to, and do not say that there are none',
  async (t) => {
    const somewhere = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://localhost:4318/v1/traces' }
    t.equal(readConfig(somewhere).traces, true)
    t.equal(readConfig({ OTEL_TRACES_EXPORTER: 'console' }).traces, true)
    t.equal(readConfig({ ...somewhere, OTEL_TRACES_EXPORTER: 'none' }).traces, false)
    t.equal(readConfig({ ...somewhere, OTEL_SDK_DISABLED: 'true' }).traces, false)
  },
)

t.test('a sender is one mailbox, and nothing that could begin another header', async (t) => {
  for (const [text, mailbox] of [
    ['a@b.example', { name: '', address: 'a@b.example' }],
    ['<a@b.example>', { name: '', address: 'a@b.example' }],
    ['Bücher & Söhne <a@b.example>', { name: 'Bücher & Söhne', address: 'a@b.example' }],
  ] as const)
    t.strictSame(readConfig({ MAIL_FROM: text }).mailFrom, mailbox)
  for (const text of [
    'Keyturn\r\nBcc: e@evil.example <a@b.example>',
    'a@b.example, c@d.example',
    'A <a@b.example>, B <c@d.example>',
    'a@b.example>',
    'nobody',
  ])
    t.match(faultsOf({ MAIL_FROM: text }), [/^MAIL_FROM/], text)
})
