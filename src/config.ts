import { availableParallelism } from 'node:os'
import { MAX_COST, MAX_WORK } from './crypto/argon2-engine.ts'
import { MIN_ROOT_KEY_BYTES } from './crypto/key-ring.ts'
import { DatabaseError } from './platform/database-errors.ts'
import { makeReader, type Reader } from './platform/environment.ts'
import { faultOfTls, inUrl, isEveryAddress, isHost, isLoopback, withoutTlsSwitch } from './platform/hosts.ts'
import { checkMail, readLink, readMailFrom } from './platform/mail-settings.ts'
import { faultOfPostgresUrl, isPostgresUrl } from './platform/postgres-url.ts'
import { keyFileOf } from './platform/sqlite-files.ts'
import { readOwnMails } from './texts/own-mails.ts'
import { isAddressOrRange, isEveryone } from './values/network.ts'
import { faultsOfOrigins } from './values/origin.ts'
import { isPasskeyOrigin, isRpId, originsBelow, type RelyingParty } from './values/relying-party.ts'

/** All settings from the environment, checked and complete. Durations are whole seconds. */
export type Config = ReturnType<typeof readConfig>

/** The settings that are secret, or have a password in them. Each may stand in a file: `SECRET_KEY_FILE`. */
export const SECRETS = ['DATABASE_URL', 'SECRET_KEY', 'SMTP_URL', 'REDIS_URL'] as const

/** With a username of 64 characters, the QR code has at most 73 modules (version 14) and fits a terminal of 80 columns. */
const MAX_ENCODED_APP_NAME = 120

/** One or more; the first one is that of a token unless another one is asked for. */
export type Audiences = readonly [string, ...string[]]

/** The environment has faults and the service cannot start. `faults` has a sentence for each variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    )
    this.faults = faults
  }
}

/**
 * Reads the configuration.
 *
 * @throws {ConfigError} with every fault at once.
 */
export function readConfig(environment: NodeJS.ProcessEnv) {
  const faults: string[] = []
  const warnings: string[] = []
  const read = makeReader(environment, faults, warnings)

  const host = readHost(read, 'HOST', '127.0.0.1', faults)
  const port = read.integer('PORT', 3000, 0, 65_535)
  const issuer = read.url('ISSUER', `http://${inUrl(host)}:${port}`)
  const databaseUrl = readDatabaseUrl(read, faults)
  const corsOrigins = read.list('CORS_ORIGINS')
  faults.push(...faultsOfOrigins(corsOrigins))
  const concurrency = read.integer('HASH_CONCURRENCY', availableParallelism(), 1, 256)
  const config = {
    host,
    port,
    /** For how long an idle connection is kept. */
    keepAliveSeconds: read.integer('KEEP_ALIVE_SECONDS', 75, 1, 3600),
    databaseUrl,
    /** The size of the pool of connections to PostgreSQL. SQLite has no pool. */
    databasePoolSize: read.integer('DATABASE_POOL_SIZE', 10, 1, 1000),
    /** Root keys, of which the first one seals; `null` for a key that is kept next to the SQLite file. */
    secretKeys: readSecretKeys(read, databaseUrl, faults),
    issuer,
    /** The services that access tokens are for. */
    audiences: readAudiences(read, issuer, faults),
    appName: readAppName(read, faults),
    mfaPolicy: read.choice('MFA_POLICY', ['required', 'optional'], 'required'),
    registration: read.choice('REGISTRATION', ['open', 'closed'], 'open'),
    usernames: read.choice('USERNAMES', ['any', 'plain'], 'any'),
    jwtAlg: read.choice('JWT_ALG', ['ES256', 'EdDSA', 'RS256'], 'ES256'),
    accessTokenTtl: read.integer('ACCESS_TOKEN_TTL', 600, 10, 3600),
    mfaTokenTtl: read.integer('MFA_TOKEN_TTL', 300, 10, 3600),
    refreshTokenTtl: read.integer('REFRESH_TOKEN_TTL', 2_592_000, 60, 31_536_000),
    auditRetentionDays: read.integer('AUDIT_RETENTION_DAYS', 365, 1, 3650),
    /** Live sessions of one account. */
    maxSessions: read.integer('MAX_SESSIONS', 100, 1, 10_000),
    /** Days after which accounts that were never used are removed; 0 for never. */
    unenrolledDays: read.integer('UNENROLLED_DAYS', 30, 0, 3650),
    /** Empty when no mail is sent. */
    smtpUrl: read.secret('SMTP_URL') ?? '',
    mailFrom: readMailFrom(read, faults),
    /** Read at start. */
    ownMails: readOwnMails(read.text('MAIL_TEMPLATES', ''), faults),
    emailCodes: read.onOff('EMAIL_CODES', false),
    /** Links in mails, with `{token}`; empty where mails have codes to copy. */
    resetUrl: readLink(read, 'RESET_URL', faults),
    verifyUrl: readLink(read, 'VERIFY_URL', faults),
    docs: read.onOff('DOCS', true),
    /** Empty when limits are counted in memory. */
    redisUrl: readRedisUrl(read, faults),
    trustProxy: readTrustProxy(read, faults),
    corsOrigins,
    relyingParty: readRelyingParty(read, { issuer, corsOrigins }, faults),
    rateLimit: read.onOff('RATE_LIMIT', true),
    hashEngine: read.choice('HASH_ENGINE', ['auto', 'argon2', 'node-rs'], 'auto'),
    argon2: {
      memoryKib: read.integer('ARGON2_MEMORY_KIB', 19_456, 8, MAX_COST.memoryKib),
      passes: read.integer('ARGON2_TIME', 2, 1, MAX_COST.passes),
      parallelism: read.integer('ARGON2_PARALLELISM', 1, 1, MAX_COST.parallelism),
    },
    hashConcurrency: concurrency,
    hashQueue: read.integer('HASH_QUEUE', 16 * concurrency, 0, 100_000),
    logLevel: read.choice(
      'LOG_LEVEL',
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      'info',
    ),
    metricsHost: readHost(read, 'METRICS_HOST', host, faults),
    /** 0 when no metrics are served. */
    metricsPort: read.integer('METRICS_PORT', 0, 0, 65_535),
    /** Whether the standard variables of OpenTelemetry ask for traces. Its library reads the others. */
    traces: readTraces(read, faults),
    /** What may be on purpose, and is said at start. */
    warnings,
  }
  checkMail(config, faults)
  if (config.argon2.memoryKib * config.argon2.passes > MAX_WORK)
    faults.push(`ARGON2_TIME times ARGON2_MEMORY_KIB must be at most ${MAX_WORK}`)
  if (config.metricsPort !== 0 && config.metricsPort === config.port)
    faults.push('METRICS_PORT must be another port than PORT')
  checkProduction(read, host, faults)
  read.finish()
  if (faults.length > 0) throw new ConfigError([...new Set(faults)])
  return Object.freeze(config)
}

function readHost(read: Reader, name: string, fallback: string, faults: string[]): string {
  const host = read.text(name, fallback)
  if (isHost(host)) return host
  faults.push(`${name} must be an address or a name alone, like 127.0.0.1 or localhost, not "${host}"`)
  return fallback
}

function readDatabaseUrl(read: Reader, faults: string[]): string {
  const value = read.secret('DATABASE_URL') || 'sqlite:./data/keyturn.db'
  const fault = databaseUrlFault(value)
  if (fault) faults.push(`DATABASE_URL ${fault}`)
  return value
}

/** @returns the fault of a database URL, without repeating the URL: it may hold a password. */
export function databaseUrlFault(databaseUrl: string): string | undefined {
  if (isPostgresUrl(databaseUrl)) return faultOfPostgresUrl(databaseUrl)
  if (/^sqlite:\/\/[^/]/.test(databaseUrl))
    return 'has one slash too many: sqlite:<path>, or sqlite:///<path>'
  if (/^sqlite:.*\?/.test(databaseUrl)) return 'is sqlite:<path> and nothing else: what follows ? is not read'
  if (/^sqlite:\/*~/.test(databaseUrl)) return 'has a ~, which no shell replaces here: write the whole path'
  if (/^sqlite:\s/.test(databaseUrl)) return 'has a blank before the path: sqlite:<path>'
  if (/^sqlite:./.test(databaseUrl)) return undefined
  return 'must be sqlite:<path> or postgres://<user>@<host>/<database>'
}

function readAppName(read: Reader, faults: string[]): string {
  const value = read.text('APP_NAME', 'Keyturn')
  if (value.length > 64 || /\p{Cc}/u.test(value))
    faults.push('APP_NAME must be at most 64 characters, none of them a control character')
  else if (encodeURIComponent(value).length > MAX_ENCODED_APP_NAME)
    faults.push(
      `APP_NAME must be shorter: percent-encoded, as in a QR code, it has more than ${MAX_ENCODED_APP_NAME} characters`,
    )
  return value
}

function readAudiences(read: Reader, issuer: string, faults: string[]): Audiences {
  const names = read.list('AUDIENCE')
  if (names.some((name) => /[\s\p{Cf}]/u.test(name)))
    faults.push('AUDIENCE must be names without blanks or invisible characters, separated by commas')
  const [first = issuer, ...others] = names
  return [first, ...others]
}

function readRedisUrl(read: Reader, faults: string[]): string {
  const value = read.secret('REDIS_URL') ?? ''
  if (!value) return value
  const url = URL.parse(value)
  const fault =
    url && /^rediss?:$/.test(url.protocol) && url.hostname
      ? faultOfTls(url, 'redis:')
      : 'must be a URL like redis://127.0.0.1:6379 or rediss://user:password@host:6379'
  if (fault) faults.push(`REDIS_URL ${fault}`)
  return withoutTlsSwitch(value)
}

/** On this machine passkeys are for `localhost`, which browsers trust without https. */
function readRelyingParty(
  read: Reader,
  { issuer, corsOrigins }: { issuer: string; corsOrigins: readonly string[] },
  faults: string[],
): RelyingParty {
  const { hostname, origin, port, protocol } = URL.parse(issuer) ?? new URL('http://localhost')
  const local = isLoopback(hostname)
  const id = read.text('WEBAUTHN_RP_ID', local ? 'localhost' : hostname)
  const named = read.text('WEBAUTHN_RP_ID', '') || read.text('WEBAUTHN_ORIGINS', '')
  if (named && !isRpId(id)) faults.push(`WEBAUTHN_RP_ID must be a domain like example.com, not "${id}"`)
  const own = local ? `${protocol}//localhost${port && `:${port}`}` : origin
  const origins = read.list('WEBAUTHN_ORIGINS')
  for (const origin of origins)
    if (!isPasskeyOrigin(origin))
      faults.push(
        `WEBAUTHN_ORIGINS must be origins like https://app.example.com or android:apk-key-hash:<43 characters>, not "${origin}"`,
      )
  const all = origins.length > 0 ? origins : originsBelow(id, [own, ...corsOrigins])
  if (all.length === 0 && named && isRpId(id))
    faults.push(`WEBAUTHN_ORIGINS must be set: neither ISSUER nor CORS_ORIGINS is over https and below ${id}`)
  return { id, origins: all }
}

function readTrustProxy(read: Reader, faults: string[]): string[] {
  const addresses = read.list('TRUST_PROXY')
  for (const address of addresses)
    if (isEveryone(address))
      faults.push(
        `TRUST_PROXY has a range of all addresses (${address}), which would trust everyone: name the proxies`,
      )
    else if (!isAddressOrRange(address))
      faults.push(`TRUST_PROXY must be addresses or CIDR ranges, separated by commas, not "${address}"`)
  return addresses
}

function readSecretKeys(read: Reader, databaseUrl: string, faults: string[]): Buffer[] | null {
  const text = read.secret('SECRET_KEY')
  if (!text) {
    const production = isProduction(read)
    if (text === '' && (production || isPostgresUrl(databaseUrl)))
      faults.push(
        `SECRET_KEY must be set ${production ? 'when NODE_ENV is production' : 'with PostgreSQL'}${whereItIs(databaseUrl)}`,
      )
    return null
  }
  const keys = text.split(',').map((part) => decodeKey(part.trim()))
  if (keys.every((key) => key !== null)) return keys
  faults.push(
    `SECRET_KEY must be base64 of ${MIN_ROOT_KEY_BYTES} bytes or more (several: separated by commas): openssl rand -base64 32 makes one`,
  )
  return null
}

/** A database whose key is in a file needs that one, and a new key would not open it. */
function whereItIs(databaseUrl: string): string {
  try {
    const kept = keyFileOf(databaseUrl)
    if (!kept) return ': openssl rand -base64 32 makes one'
    return `. The key that was made for this database is in ${kept}: SECRET_KEY_FILE=${kept} uses it`
  } catch (error) {
    if (error instanceof DatabaseError) return `. ${error.message}`
    throw error
  }
}

const isProduction = (read: Reader) => read.text('NODE_ENV', '') === 'production'

/** What a service for others must have. */
function checkProduction(read: Reader, host: string, faults: string[]): void {
  const mode = read.text('NODE_ENV', '')
  if (/^prod/i.test(mode) && mode !== 'production') faults.push(`NODE_ENV must be production, not "${mode}"`)
  if (isProduction(read) && isEveryAddress(host) && !read.text('ISSUER', ''))
    faults.push(`ISSUER must be set when NODE_ENV is production and HOST is ${host}: every token names it`)
}

/** Decodes base64 or base64url; `null` when it is neither, too short, or too regular to be random. */
export function decodeKey(text: string): Buffer | null {
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return null
  const key = Buffer.from(text, 'base64')
  const random = new Set(key).size >= MIN_ROOT_KEY_BYTES / 4
  return key.length >= MIN_ROOT_KEY_BYTES && random ? key : null
}

/** The standard variables of OpenTelemetry that say where traces go. */
export const COLLECTORS = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] as const

/**
 * Whether traces are sent: they are off unless a variable says where to. One that asks for clear text to another machine is
 * a fault.
 */
function readTraces({ text }: Reader, faults: string[]): boolean {
  const disabled = text('OTEL_SDK_DISABLED', '').toLowerCase() === 'true'
  const exporter = text('OTEL_TRACES_EXPORTER', '')
  const places = COLLECTORS.map((name) => [name, text(name, '')] as const).filter(([, value]) => value)
  if (disabled || exporter === 'none' || (exporter === '' && places.length === 0)) return false
  for (const [name, value] of places) {
    const url = URL.parse(value)
    const fault = url ? faultOfTls(url, 'http:') : 'must be a URL'
    if (fault) faults.push(`${name} ${fault}`)
  }
  return true
}
