import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { availableParallelism } from 'node:os'
import { EMAIL_PATTERN } from './accounts/email-address.ts'
import { type Argon2Cost, type EngineChoice, MAX_COST, MAX_WORK } from './crypto/argon2-engine.ts'
import { MIN_ROOT_KEY_BYTES } from './crypto/key-ring.ts'
import type { Mailbox } from './platform/mailer.ts'
import { faultOfPostgresUrl, isPostgresUrl } from './platform/postgres-url.ts'

/** Everything the environment decides, checked and complete. Durations are whole seconds. */
export interface Config {
  host: string
  port: number
  databaseUrl: string
  /** Connections to PostgreSQL; SQLite needs no such number. */
  databasePoolSize: number
  /** Root keys, the sealing one first; `null` asks for a key kept beside the SQLite file. */
  secretKeys: readonly Buffer[] | null
  issuer: string
  audience: string
  appName: string
  mfaPolicy: 'required' | 'optional'
  registration: 'open' | 'closed'
  jwtAlg: 'ES256' | 'EdDSA'
  accessTokenTtl: number
  mfaTokenTtl: number
  refreshTokenTtl: number
  /** Empty when no mail is to be sent. */
  smtpUrl: string
  mailFrom: Mailbox | null
  emailCodes: boolean
  docs: boolean
  /** Empty for limits in memory. */
  redisUrl: string
  trustProxy: readonly string[]
  corsOrigins: readonly string[]
  rateLimit: boolean
  hashEngine: EngineChoice
  argon2: Argon2Cost
  hashConcurrency: number
  hashQueue: number
  logLevel: LogLevel
  /** 0 for no metrics. */
  metricsPort: number
  /** Whether the standard variables of OpenTelemetry ask for traces; its library reads the rest of them. */
  traces: boolean
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
type LogLevel = (typeof LOG_LEVELS)[number]

/** The environment is not fit to start with; `faults` has a sentence for each variable. */
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
export function readConfig(environment: NodeJS.ProcessEnv): Readonly<Config> {
  const faults: string[] = []
  const read = makeReader(environment, faults)

  const host = read.text('HOST', '127.0.0.1')
  const port = read.integer('PORT', 3000, 0, 65_535)
  const issuer = read.url('ISSUER', `http://${host.includes(':') ? `[${host}]` : host}:${port}`)
  const databaseUrl = readDatabaseUrl(read, faults)
  const concurrency = read.integer('HASH_CONCURRENCY', availableParallelism(), 1, 256)
  const config: Config = {
    host,
    port,
    databaseUrl,
    databasePoolSize: read.integer('DATABASE_POOL_SIZE', 10, 1, 1000),
    secretKeys: readSecretKeys(environment, databaseUrl, faults),
    issuer,
    audience: read.text('AUDIENCE', issuer),
    appName: readAppName(read, faults),
    mfaPolicy: read.choice('MFA_POLICY', ['required', 'optional'], 'required'),
    registration: read.choice('REGISTRATION', ['open', 'closed'], 'open'),
    jwtAlg: read.choice('JWT_ALG', ['ES256', 'EdDSA'], 'ES256'),
    accessTokenTtl: read.integer('ACCESS_TOKEN_TTL', 600, 10, 3600),
    mfaTokenTtl: read.integer('MFA_TOKEN_TTL', 300, 10, 3600),
    refreshTokenTtl: read.integer('REFRESH_TOKEN_TTL', 2_592_000, 60, 31_536_000),
    smtpUrl: read.text('SMTP_URL', ''),
    mailFrom: readMailFrom(read, faults),
    emailCodes: read.onOff('EMAIL_CODES', false),
    docs: read.onOff('DOCS', true),
    redisUrl: readRedisUrl(read, faults),
    trustProxy: readTrustProxy(read, faults),
    corsOrigins: readCorsOrigins(read, faults),
    rateLimit: read.onOff('RATE_LIMIT', true),
    hashEngine: read.choice('HASH_ENGINE', ['auto', 'argon2', 'node-rs'], 'auto'),
    argon2: {
      memoryKib: read.integer('ARGON2_MEMORY_KIB', 19_456, 8, MAX_COST.memoryKib),
      passes: read.integer('ARGON2_TIME', 2, 1, MAX_COST.passes),
      parallelism: read.integer('ARGON2_PARALLELISM', 1, 1, MAX_COST.parallelism),
    },
    hashConcurrency: concurrency,
    hashQueue: read.integer('HASH_QUEUE', 16 * concurrency, 0, 100_000),
    logLevel: read.choice('LOG_LEVEL', LOG_LEVELS, 'info'),
    metricsPort: read.integer('METRICS_PORT', 0, 0, 65_535),
    traces: readTraces(read),
  }
  checkMail(config, faults)
  if (config.argon2.memoryKib * config.argon2.passes > MAX_WORK)
    faults.push(`ARGON2_TIME times ARGON2_MEMORY_KIB must be at most ${MAX_WORK}`)
  if (config.metricsPort !== 0 && config.metricsPort === config.port)
    faults.push('METRICS_PORT must be another port than PORT')
  if (faults.length > 0) throw new ConfigError(faults)
  return Object.freeze(config)
}

interface Reader {
  text(name: string, fallback: string): string
  integer(name: string, fallback: number, min: number, max: number): number
  choice<const T extends string>(name: string, choices: readonly T[], fallback: NoInfer<T>): T
  onOff(name: string, fallback: boolean): boolean
  url(name: string, fallback: string): string
  /** The parts between the commas; none when the variable is not set. */
  list(name: string): string[]
}

/** An empty variable counts as one that is not set, as in a `.env` file with blanks to fill in. */
function makeReader(environment: NodeJS.ProcessEnv, faults: string[]): Reader {
  const text = (name: string, fallback: string) => environment[name]?.trim() || fallback

  const reader: Reader = {
    text,
    integer(name, fallback, min, max) {
      const value = text(name, String(fallback))
      const number = Number(value)
      if (/^\d+$/.test(value) && number >= min && number <= max) return number
      faults.push(`${name} must be a whole number from ${min} to ${max}, not "${value}"`)
      return fallback
    },
    choice(name, choices, fallback) {
      const value = text(name, fallback)
      const found = choices.find((choice) => choice === value)
      if (found === undefined) faults.push(`${name} must be ${choices.join(' or ')}, not "${value}"`)
      return found ?? fallback
    },
    list: (name) =>
      text(name, '')
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    onOff: (name, fallback) => reader.choice(name, ['on', 'off'], fallback ? 'on' : 'off') === 'on',
    url(name, fallback) {
      const value = text(name, fallback)
      const url = URL.parse(value)
      const plain = url && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username
      if (!plain) faults.push(`${name} must be an http or https URL without user, query or fragment`)
      return value.replace(/\/$/, '')
    },
  }
  return reader
}

function readDatabaseUrl(read: Reader, faults: string[]): string {
  const value = read.text('DATABASE_URL', 'sqlite:./data/keyturn.db')
  const fault = databaseUrlFault(value)
  if (fault) faults.push(`DATABASE_URL ${fault}`)
  return value
}

/** @returns what is wrong with the URL of a database, without repeating it: it may hold a password. */
export function databaseUrlFault(databaseUrl: string): string | undefined {
  if (isPostgresUrl(databaseUrl)) return faultOfPostgresUrl(databaseUrl)
  if (/^sqlite:./.test(databaseUrl)) return undefined
  return 'must be sqlite:<path> or postgres://<user>@<host>/<database>'
}

function readAppName(read: Reader, faults: string[]): string {
  const value = read.text('APP_NAME', 'Keyturn')
  if (value.length > 64 || /\p{Cc}/u.test(value))
    faults.push('APP_NAME must be at most 64 characters, none of them a control character')
  return value
}

/** `address`, or `name <address>`. */
function readMailFrom(read: Reader, faults: string[]): Mailbox | null {
  const value = read.text('MAIL_FROM', '')
  if (!value) return null
  const [, name = '', bracketed] = /^([^<>"\p{Cc}]*)<([^<>]+)>$/u.exec(value) ?? []
  const address = bracketed ?? value
  if (new RegExp(EMAIL_PATTERN).test(address)) return { name: name.trim(), address }
  faults.push(`MAIL_FROM must be an address, or a name and <address>, not "${value}"`)
  return null
}

function readRedisUrl(read: Reader, faults: string[]): string {
  const value = read.text('REDIS_URL', '')
  const { protocol = '', hostname } = URL.parse(value) ?? {}
  if (value && !(/^rediss?:$/.test(protocol) && hostname))
    faults.push('REDIS_URL must be a URL like redis://host:6379 or rediss://user:password@host:6379')
  return value
}

/** Off unless somebody says where traces go. */
function readTraces(read: Reader): boolean {
  const disabled = read.text('OTEL_SDK_DISABLED', '').toLowerCase() === 'true'
  const exporter = read.text('OTEL_TRACES_EXPORTER', '')
  const places = [
    read.text('OTEL_EXPORTER_OTLP_ENDPOINT', ''),
    read.text('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', ''),
  ]
  return !disabled && exporter !== 'none' && (exporter !== '' || places.some(Boolean))
}

function readCorsOrigins(read: Reader, faults: string[]): string[] {
  const origins = read.list('CORS_ORIGINS')
  for (const origin of origins)
    if (URL.parse(origin)?.origin !== origin)
      faults.push(`CORS_ORIGINS must be origins like https://app.example.com, not "${origin}"`)
  return origins
}

function readTrustProxy(read: Reader, faults: string[]): string[] {
  const addresses = read.list('TRUST_PROXY')
  for (const address of addresses)
    if (!isAddressOrRange(address))
      faults.push(`TRUST_PROXY must be addresses or CIDR ranges, separated by commas, not "${address}"`)
  return addresses
}

/** `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`; a range of everything would be trust in everybody. */
function isAddressOrRange(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0
  const length = prefix === undefined ? bits : Number(/^\d{1,3}$/.exec(prefix)?.[0] ?? 0)
  return rest.length === 0 && length >= 1 && length <= bits
}

function readSecretKeys(
  environment: NodeJS.ProcessEnv,
  databaseUrl: string,
  faults: string[],
): Buffer[] | null {
  const text = secretKeyText(environment, faults)
  if (!text) {
    const production = environment.NODE_ENV === 'production'
    if (text === '' && (production || isPostgresUrl(databaseUrl)))
      faults.push(
        `SECRET_KEY must be set ${production ? 'when NODE_ENV is production' : 'with PostgreSQL'}: openssl rand -base64 32 makes one`,
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

/** The text of the keys, `''` when none is given, `null` when it could not be read. */
function secretKeyText(environment: NodeJS.ProcessEnv, faults: string[]): string | null {
  const direct = environment.SECRET_KEY?.trim() ?? ''
  const path = environment.SECRET_KEY_FILE?.trim()
  if (!path) return direct
  if (direct) faults.push('SECRET_KEY and SECRET_KEY_FILE are both set: give one')
  try {
    const text = readFileSync(path, 'utf8').trim()
    if (text) return text
    faults.push(`SECRET_KEY_FILE names ${path}, which is empty`)
    return null
  } catch (error) {
    faults.push(`SECRET_KEY_FILE cannot be read: ${(error as Error).message}`)
    return null
  }
}

/** Base64 or base64url; `null` when it is neither, too short, or too regular to be random. */
export function decodeKey(text: string): Buffer | null {
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return null
  const key = Buffer.from(text, 'base64')
  const random = new Set(key).size >= MIN_ROOT_KEY_BYTES / 4
  return key.length >= MIN_ROOT_KEY_BYTES && random ? key : null
}

/** Mail needs a server and a sender; mailed codes need mail. */
function checkMail({ smtpUrl, mailFrom, emailCodes }: Config, faults: string[]): void {
  if (smtpUrl && !/^smtps?:$/.test(URL.parse(smtpUrl)?.protocol ?? ''))
    faults.push('SMTP_URL must be an smtp or smtps URL')
  if (smtpUrl && !mailFrom && !faults.some((fault) => fault.startsWith('MAIL_FROM')))
    faults.push('MAIL_FROM must be set when SMTP_URL is')
  if (emailCodes && !smtpUrl) faults.push('EMAIL_CODES needs SMTP_URL and MAIL_FROM')
}
