import { ConfigError } from './config.ts'

type Setting = string | number | boolean | readonly string[]

/**
 * The settings of the service, under the names of its environment variables in camel case: `DATABASE_URL` is
 * `databaseUrl`. Lists may be arrays, and `on` and `off` may be booleans. The environment itself is not read.
 */
export interface ServiceOptions {
  /** Where the host has the plugin, as Fastify knows it. The path of `issuer` is the same. */
  prefix?: string
  /** The URL that people and services know this service by, with the path that it is mounted at. */
  issuer: string
  /** `sqlite:<path>` or `postgres://<user>@<host>/<database>`; or `databaseUrlFile`. */
  databaseUrl?: string
  databasePoolSize?: number
  /** Base64 of 32 bytes or more; the first one seals. Without it a key is kept next to the SQLite file. */
  secretKey?: string | readonly string[]
  /** Files that hold what else stands in `secretKey`, `databaseUrl`, `smtpUrl`, `redisUrl`. */
  secretKeyFile?: string
  databaseUrlFile?: string
  smtpUrlFile?: string
  redisUrlFile?: string
  audience?: string | readonly string[]
  appName?: string
  mfaPolicy?: 'required' | 'optional'
  registration?: 'open' | 'closed'
  usernames?: 'any' | 'plain'
  jwtAlg?: 'ES256' | 'EdDSA' | 'RS256'
  /** Seconds, as are the other lives. */
  accessTokenTtl?: number
  mfaTokenTtl?: number
  refreshTokenTtl?: number
  auditRetentionDays?: number
  maxSessions?: number
  unenrolledDays?: number
  smtpUrl?: string
  mailFrom?: string
  mailTemplates?: string
  emailCodes?: boolean
  resetUrl?: string
  verifyUrl?: string
  docs?: boolean
  trustProxy?: readonly string[]
  rateLimit?: boolean
  redisUrl?: string
  corsOrigins?: readonly string[]
  webauthnRpId?: string
  webauthnOrigins?: readonly string[]
  hashEngine?: 'auto' | 'argon2' | 'node-rs'
  argon2MemoryKib?: number
  argon2Time?: number
  argon2Parallelism?: number
  hashConcurrency?: number
  hashQueue?: number
}

const NAMES: Record<Exclude<keyof ServiceOptions, 'prefix'>, true> = {
  issuer: true,
  databaseUrl: true,
  databasePoolSize: true,
  secretKey: true,
  secretKeyFile: true,
  databaseUrlFile: true,
  smtpUrlFile: true,
  redisUrlFile: true,
  audience: true,
  appName: true,
  mfaPolicy: true,
  registration: true,
  usernames: true,
  jwtAlg: true,
  accessTokenTtl: true,
  mfaTokenTtl: true,
  refreshTokenTtl: true,
  auditRetentionDays: true,
  maxSessions: true,
  unenrolledDays: true,
  smtpUrl: true,
  mailFrom: true,
  mailTemplates: true,
  emailCodes: true,
  resetUrl: true,
  verifyUrl: true,
  docs: true,
  trustProxy: true,
  rateLimit: true,
  redisUrl: true,
  corsOrigins: true,
  webauthnRpId: true,
  webauthnOrigins: true,
  hashEngine: true,
  argon2MemoryKib: true,
  argon2Time: true,
  argon2Parallelism: true,
  hashConcurrency: true,
  hashQueue: true,
}

/**
 * The options as environment variables, which `readConfig` checks.
 *
 * @throws {ConfigError} when there is no such option, one is empty, or a required one is missing.
 */
export function settingsOf(options: Omit<ServiceOptions, 'prefix'>): Record<string, string> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const unknown = given.map(([name]) => name).filter((name) => !(name in NAMES))
  if (unknown.length > 0) throw new ConfigError(unknown.map((name) => `There is no option ${name}`))
  const missing = (['issuer', 'databaseUrl'] as const).filter(
    (name) => options[name] === undefined && !(name === 'databaseUrl' && options.databaseUrlFile),
  )
  if (missing.length > 0) throw new ConfigError(missing.map((name) => `The plugin needs the option ${name}`))
  // An empty text is a variable that is not set, which is not what an empty option means.
  const empty = given.filter(([, value]) => textOf(value).trim() === '').map(([name]) => name)
  if (empty.length > 0)
    throw new ConfigError(empty.map((name) => `The option ${name} is empty: leave it out`))
  return Object.fromEntries(given.map(([name, value]) => [variableOf(name), textOf(value)]))
}

/** `databaseUrl` is `DATABASE_URL`; a digit belongs to the word before it. */
const variableOf = (name: string) => name.replace(/[A-Z]/g, '_$&').toUpperCase()

function textOf(value: Setting): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return String(value)
}
