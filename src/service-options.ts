import { ConfigError } from './config.ts'

type Setting = string | number | boolean | readonly string[]

/** Each setting; a value stands for its type alone. */
const SETTINGS = {
  /** `sqlite:<path>` or `postgres://<user>@<host>/<database>`; or `databaseUrlFile`. */
  databaseUrl: String(),
  databasePoolSize: Number(),
  /** Base64 of 32 bytes or more; the first one seals. Without it a key is kept next to the SQLite file. */
  secretKey: String() as string | readonly string[],
  /** Files that hold what else stands in `secretKey`, `databaseUrl`, `smtpUrl`, `redisUrl`. */
  secretKeyFile: String(),
  databaseUrlFile: String(),
  smtpUrlFile: String(),
  redisUrlFile: String(),
  audience: String() as string | readonly string[],
  appName: String(),
  mfaPolicy: 'required' as 'required' | 'optional',
  registration: 'open' as 'open' | 'closed',
  usernames: 'any' as 'any' | 'plain',
  jwtAlg: 'ES256' as 'ES256' | 'EdDSA' | 'RS256',
  /** Seconds, as are the other lives. */
  accessTokenTtl: Number(),
  mfaTokenTtl: Number(),
  refreshTokenTtl: Number(),
  auditRetentionDays: Number(),
  maxSessions: Number(),
  unenrolledDays: Number(),
  smtpUrl: String(),
  mailFrom: String(),
  mailTemplates: String(),
  emailCodes: Boolean(),
  resetUrl: String(),
  verifyUrl: String(),
  docs: Boolean(),
  trustProxy: [] as readonly string[],
  rateLimit: Boolean(),
  redisUrl: String(),
  corsOrigins: [] as readonly string[],
  webauthnRpId: String(),
  webauthnOrigins: [] as readonly string[],
  hashEngine: 'auto' as 'auto' | 'argon2' | 'node-rs',
  argon2MemoryKib: Number(),
  argon2Time: Number(),
  argon2Parallelism: Number(),
  hashConcurrency: Number(),
  hashQueue: Number(),
}

/**
 * The settings of the service, under the names of its environment variables in camel case: `DATABASE_URL` is
 * `databaseUrl`. Lists may be arrays, and `on` and `off` may be booleans. The environment itself is not read.
 */
export interface ServiceOptions extends Partial<typeof SETTINGS> {
  /** Where the host has the plugin, as Fastify knows it. The path of `issuer` is the same. */
  prefix?: string
  /** The URL that people and services know this service by, with the path that it is mounted at. */
  issuer: string
}

/**
 * The options as environment variables, which `readConfig` checks.
 *
 * @throws {ConfigError} when there is no such option, one is empty, or a required one is missing.
 */
export function settingsOf(options: Omit<ServiceOptions, 'prefix'>): Record<string, string> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const unknown = given.map(([name]) => name).filter((name) => name !== 'issuer' && !(name in SETTINGS))
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
