import { randomBytes } from 'node:crypto'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import { buildApp } from '../../../src/api/app.ts'
import { type Config, readConfig } from '../../../src/config.ts'
import type { Instrument } from '../../../src/monitoring/instrument.ts'
import { type Db, openDatabase } from '../../../src/platform/database.ts'
import { makeLogger } from '../../../src/platform/logger.ts'
import { migrateUp } from '../../../src/platform/migrate.ts'
import { makeService, type Service as Parts } from '../../../src/service.ts'
import { expecting, Person } from '../people/person.ts'
import { totp } from '../people/totp.ts'
import { type MailServer, mailing, startMailServer } from '../programs/smtp.ts'
import { newDatabase } from './database.ts'
import { type Invariants, type RuleName, watchInvariants } from './invariants.ts'
import './compiled-schemas.ts'

/** A clock that stands where the test puts it. */
export interface TestClock {
  now(): number
  /** Moves it, forwards or back. */
  advance(seconds: number): void
}

export function testClock(start = Date.parse('2026-11-21T09:30:00Z')): TestClock {
  let time = start
  return {
    now: () => time,
    advance: (seconds) => {
      time += seconds * 1000
    },
  }
}

/** A clock that goes as this machine's does: for a service whose database other processes write to as well. */
export function runningClock(): TestClock {
  let aheadMs = 0
  return {
    now: () => Date.now() + aheadMs,
    advance: (seconds) => {
      aheadMs += seconds * 1000
    },
  }
}

/** The cheapest argon2id there is: these tests are not about its cost. */
export const CHEAP_HASHES = { ARGON2_MEMORY_KIB: '8', ARGON2_TIME: '1' }

export const PASSWORD = 'correct horse battery'

/** A service on a real database, called without a network. */
export interface Service {
  app: FastifyInstance
  deps: Parts
  config: Readonly<Config>
  db: Db
  databaseUrl: string
  clock: TestClock
  /** Every line logged so far. */
  logLines: string[]
  /** Checked when the service closes. */
  invariants: Invariants
  /** A POST with a JSON body. */
  post(url: string, body?: unknown, token?: string, options?: InjectOptions): Promise<Answer>
  get(url: string, token?: string, options?: InjectOptions): Promise<Answer>
  put(url: string, body: unknown, token?: string): Promise<Answer>
  delete(url: string, token?: string, options?: InjectOptions): Promise<Answer>
  close(): Promise<void>
}

/** What a person needs to sign in: a service to call and the time their authenticator shows. */
export type Reachable = Pick<Service, 'post' | 'get'> & { clock: Pick<TestClock, 'now'> }

/** An answer with its JSON already read; `body` is `undefined` where there is none. */
export interface Answer {
  status: number
  headers: LightMyRequestResponse['headers']
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into any answer
  body: any
  text: string
}

/** One with a mail server, whose codes count as a second factor. */
export interface MailingService extends Service {
  smtp: MailServer
}

export interface ServiceOptions {
  /** Give it a mail server, and let mailed codes be a second factor. */
  mail?: boolean
  environment?: Record<string, string>
  clock?: TestClock
  /** The database to use, to stand for a restart or a second process; a fresh one by default. */
  databaseUrl?: string
  rootKeys?: readonly Buffer[]
  logLevel?: string
  /** The invariants that the test breaks on purpose, behind the service's back. */
  spared?: readonly RuleName[]
  instruments?: readonly Instrument[]
}

const ROOT_KEY = randomBytes(32)

/** Starts a service, and ends it with the test; what it did is then held against the rules of test/README.md. */
export function startService(t: Test, options: ServiceOptions & { mail: true }): Promise<MailingService>
export function startService(t: Test, options?: ServiceOptions): Promise<Service>
export async function startService(
  t: Test,
  options: ServiceOptions = {},
): Promise<Service & { smtp?: MailServer }> {
  const smtp = options.mail ? await startMailServer(t) : undefined
  const { clock = testClock(), rootKeys = [ROOT_KEY], logLevel = 'debug', instruments = [] } = options
  const databaseUrl = options.databaseUrl ?? (await newDatabase(t))
  const config = readConfig({
    DATABASE_URL: databaseUrl,
    SECRET_KEY: rootKeys.map((key) => key.toString('base64')).join(),
    RATE_LIMIT: 'off',
    ...CHEAP_HASHES,
    ...(smtp && { ...mailing(smtp), EMAIL_CODES: 'on' }),
    ...options.environment,
  })
  const logLines: string[] = []
  const db = await openDatabase(config.databaseUrl, { poolSize: config.databasePoolSize })
  await migrateUp(db)
  const logger = makeLogger(logLevel, { write: (line: string) => void logLines.push(line) })
  const deps = await makeService({ config, db, clock, logger, rootKeys, instruments })
  const app = await buildApp(deps, logger)
  await app.ready()
  const invariants = await watchInvariants(deps, logLines, options.spared)

  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    await app.close()
    await invariants.check().finally(() => db.destroy())
  }
  t.teardown(async () => {
    try {
      if (!closed) await invariants.replay(app)
    } finally {
      // A broken rule is thrown here, and what stays open would keep the file running.
      await close()
      // A failed test saw a status, and the reason is here. What is no test has nothing but `teardown`.
      if (t.passing?.() === false)
        for (const line of logLines) if (line.includes('"level":"error"')) console.error(line)
    }
  })

  const call = async (options: InjectOptions, token?: string): Promise<Answer> => {
    const headers = { ...(token && { authorization: `Bearer ${token}` }), ...options.headers }
    const request = { ...options, headers }
    const answered = invariants.sent(request)
    const response = await app.inject(request)
    const json = response.body !== '' && /json/.test(String(response.headers['content-type']))
    const answer = {
      status: response.statusCode,
      headers: response.headers,
      body: json ? response.json() : undefined,
      text: response.body,
    }
    answered(answer)
    return answer
  }

  return {
    app,
    deps,
    config,
    db,
    databaseUrl,
    clock,
    logLines,
    invariants,
    close,
    post: (url, body, token, options) =>
      call(
        { method: 'POST', url, ...(body === undefined ? {} : { payload: body as object }), ...options },
        token,
      ),
    get: (url, token, options) => call({ method: 'GET', url, ...options }, token),
    put: (url, body, token) => call({ method: 'PUT', url, payload: body as object }, token),
    delete: (url, token, options) => call({ method: 'DELETE', url, ...options }, token),
    ...(smtp && { smtp }),
  }
}

/** An account whose authenticator is confirmed, signed in for the first time. */
export interface Enrolled {
  username: string
  id: string
  /** Base32. */
  secret: string
  accessToken: string
  /** Good for one change of the account; empty where it was enrolled by one. */
  accountToken: string
  refreshToken: string
  recoveryCodes: string[]
  /** The code that confirmed the authenticator: spent. */
  confirmingCode: string
}

export async function register(
  service: Reachable,
  username = 'ada',
): Promise<{ id: string; mfaToken: string }> {
  const person = new Person(service, { username })
  await expecting(201, person.register())
  return { id: person.id, mfaToken: person.mfaToken }
}

/** Registers, sets up an authenticator and confirms it, as a person would. */
export async function enrol(service: Reachable, username = 'ada'): Promise<Enrolled> {
  const person = new Person(service, { username })
  await expecting(201, person.register())
  await expecting(200, person.setUp())
  const confirmingCode = person.code()
  await expecting(200, person.confirm(confirmingCode))
  const { id, secret, accessToken, accountToken, refreshToken, recoveryCodes } = person
  return { username, id, secret, accessToken, accountToken, refreshToken, recoveryCodes, confirmingCode }
}

/** The mfa token for a right password. */
export async function login(service: Reachable, username = 'ada', password = PASSWORD): Promise<string> {
  const person = new Person(service, { username, password })
  await expecting(200, person.logIn())
  return person.mfaToken
}

/** Moves the clock to the next time step and gives its code: one that was not used yet. */
export function nextCode(service: Service, { secret }: { secret: string }): string {
  service.clock.advance(30)
  return totp(secret, service.clock.now())
}

/** One mfa token for each of so many logins, one after another: the hash queue takes no crowds. */
export async function logins(service: Reachable, count: number, username = 'ada'): Promise<string[]> {
  const tokens: string[] = []
  while (tokens.length < count) tokens.push(await login(service, username))
  return tokens
}

/** A code that is none of the account's now or within two time steps. */
export function wrongCode({ clock }: Reachable, { secret }: { secret: string }): string {
  const right = [-2, -1, 0, 1, 2].map((steps) => totp(secret, clock.now() + steps * 30_000))
  return (
    ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !right.includes(code)) ?? ''
  )
}
