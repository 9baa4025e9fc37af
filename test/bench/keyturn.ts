import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { copyDatabase } from '../../src/cli/commands/copy.ts'
import { createClient } from '../../src/clients/manage.ts'
import { readConfig } from '../../src/config.ts'
import { newChallenge } from '../../src/factors/passkeys/challenge.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { type Db, openDatabase } from '../../src/platform/database.ts'
import { makeLogger } from '../../src/platform/logger.ts'
import { migrateUp } from '../../src/platform/migrate.ts'
import { makeService, type Service as Parts } from '../../src/service.ts'
import type { Grant } from '../../src/tokens/session.ts'
import { claimsOf } from '../helpers/people/sessions.ts'
import { hotp, totp } from '../helpers/people/totp.ts'
import { SoftPasskey } from '../helpers/webauthn/soft-passkey.ts'
import type { Connection, Reply } from './connection.ts'
import { type MeasuredProcess, type Started, startAndEnd, startMeasured } from './measured-process.ts'
import {
  accountId,
  PASSWORD,
  passkeyIdOf,
  refreshTokenOf,
  type Seeding,
  seedAccounts,
  seedChallenges,
  seedPasskeys,
  sessionId,
  TOTP_SECRET,
} from './seed.ts'
import type { Step } from './slice.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What `npm start` runs, behind `exec node`. */
const [, , ...START] = (
  JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')).scripts.start as string
).split(' ')
const isOption = (part: string) => part.startsWith('--')

/** The options for `node` that `npm start` gives. */
export const NODE_OPTIONS = START.filter(isOption)

/** How many sessions `/me` and introspection are asked about in turn. */
const BUSY_SESSIONS = 500

/** How many are refreshed in turn: each may be ten times a minute. */
const REFRESHED_SESSIONS = 20_000

/** What the service is measured at; for each slice its steps are prepared beforehand. */
export type Scenario =
  | 'login'
  | 'verify'
  | 'passkey'
  | 'flow'
  | 'refresh'
  | 'introspect'
  | 'me'
  | 'document'
  | 'enrolment'

interface Beginning extends Seeding {
  environment?: Record<string, string>
  /** Other options for `node` than those that `npm start` gives. */
  nodeOptions?: (asShipped: string[]) => string[]
  /** An empty PostgreSQL database, to run on that instead of on a file. */
  postgresUrl?: string
}

/** The service as `npm start` runs it, on a database full of accounts that exist for the measurement. */
export interface Keyturn {
  server: MeasuredProcess
  /** @param most steps that the slice may take. */
  prepare(scenario: Scenario, most: number): Promise<Step>
  /** What its database takes up. */
  databaseBytes(): Promise<number>
  /** Starts another process of it on the same database, and ends it after so long. */
  restart(idleMs?: number): Promise<Started>
  stop(): Promise<void>
}

export async function startKeyturn(
  folder: string,
  { environment = {}, nodeOptions = (options) => options, postgresUrl, ...seeding }: Beginning,
): Promise<Keyturn> {
  mkdirSync(folder, { recursive: true })
  const file = `sqlite:${folder}/keyturn.db`
  const settings = {
    DATABASE_URL: file,
    SECRET_KEY: randomBytes(32).toString('base64'),
    ISSUER: 'https://id.example.com',
    RATE_LIMIT: 'off',
    // So that nothing that was seeded expires on the way.
    MFA_TOKEN_TTL: '3600',
    ACCESS_TOKEN_TTL: '3600',
    ...environment,
  }
  let { db, deps } = await open(settings)
  await seedAccounts(deps, seeding)
  if (postgresUrl) {
    await db.destroy()
    await copyDatabase(file, postgresUrl)
    settings.DATABASE_URL = postgresUrl
    ;({ db, deps } = await open(settings))
    await sql`vacuum analyze`.execute(db)
  }
  const start = () =>
    startMeasured({
      command: [...nodeOptions(NODE_OPTIONS), ...START.filter((part) => !isOption(part))].map((part) =>
        part.includes('src/') ? join(ROOT, part) : part,
      ),
      environment: settings,
      cwd: folder,
      logFile: `${folder}/keyturn.log`,
      ready: '/readyz',
    })
  const server = await start()
  const people = makePeople(seeding)
  const refreshed: Refreshed = { turn: 0, successors: new Map() }
  return {
    server,
    prepare: async (scenario, most) => SCENARIOS[scenario]({ deps, people, refreshed, most, seeding }),
    async databaseBytes() {
      if (!postgresUrl) return statSync(`${folder}/keyturn.db`).size
      const size = sql<{ bytes: string }>`select pg_database_size(current_database()) as bytes`
      return Number((await size.execute(db)).rows[0]?.bytes)
    },
    restart: (idleMs) => startAndEnd(start, idleMs),
    async stop() {
      await server.stop()
      await db.destroy()
    },
  }
}

async function open(settings: Record<string, string>): Promise<{ db: Db; deps: Parts }> {
  const config = readConfig(settings)
  const db = await openDatabase(config.databaseUrl)
  await migrateUp(db)
  const logger = makeLogger('silent')
  const rootKeys = config.secretKeys ?? []
  const deps = await makeService({ config, db, clock: systemClock, logger, rootKeys })
  return { db, deps }
}

/** Hands out accounts whose code was not used yet: each is good for one a time step. */
interface People {
  next(): Promise<number>
  /** One whose code is not needed. */
  any(): number
}

function makePeople({ accounts, usableEvery = 1 }: Seeding): People {
  const usable = Math.floor((accounts - 1) / usableEvery) + 1
  // Spread over all of them, so that neighbours in a page are not asked for one after the other.
  const stride = coprimeStride(usable)
  const freeFrom = new Map<number, number>()
  let turn = 0
  return {
    async next() {
      const n = ((turn++ * stride) % usable) * usableEvery
      const wait = (freeFrom.get(n) ?? 0) - Date.now()
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
      // Not the very next step either: the slice this is for may reach into it.
      freeFrom.set(n, (Math.floor(Date.now() / 30_000) + 2) * 30_000)
      return n
    },
    any: () => ((turn++ * stride) % usable) * usableEvery,
  }
}

/** Steps of this length visit each of so many before any of them twice. */
function coprimeStride(count: number): number {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))
  let stride = Math.floor(count * 0.618) + 1
  while (gcd(stride, count) !== 1) stride += 1
  return stride
}

/** Goes on from slice to slice: a session is refreshed only so often a minute. */
interface Refreshed {
  turn: number
  /** The refresh tokens that sessions have come to. */
  successors: Map<number, string>
}

interface Stage {
  deps: Parts
  people: People
  refreshed: Refreshed
  most: number
  seeding: Seeding
}

const SCENARIOS: Record<Scenario, (stage: Stage) => Promise<Step>> = {
  async login({ people }) {
    return async (connection) => void (await login(connection, people.any()))
  },

  async flow({ people }) {
    return async (connection) => {
      const mfaToken = (await login(connection, await people.next())).json().mfa_token
      await verify(connection, mfaToken, codeNow())
    }
  },

  async verify({ deps, people, most }) {
    const numbers: number[] = []
    while (numbers.length < most) numbers.push(await people.next())
    const mfaTokens = await seedChallenges(deps, numbers)
    return async (connection) => {
      const mfaToken = mfaTokens.pop()
      if (mfaToken === undefined) throw new Error('the slice was prepared for fewer steps')
      await verify(connection, mfaToken, codeNow())
    }
  },

  async passkey({ deps, people, most }) {
    const numbers = Array.from({ length: most }, () => people.any())
    const mfaTokens = await seedChallenges(deps, numbers)
    await seedPasskeys(deps, numbers, PASSKEY)
    const answers = mfaTokens.map((token, i) => {
      const id = accountId(numbers[i] as number)
      const question = { purpose: 'verify', accountId: id, boundTo: claimsOf(token).jti } as const
      const challenge = newChallenge(deps, question)
      const credential = PASSKEY.get({ challenge, rpId: deps.relyingParty.id }, { userHandle: null })
      const credentialId = passkeyIdOf(numbers[i] as number)
      return {
        token,
        body: { method: 'passkey', credential: { ...credential, id: credentialId, rawId: credentialId } },
      }
    })
    return async (connection) => {
      const answer = answers.pop()
      if (answer === undefined) throw new Error('the slice was prepared for fewer steps')
      expect(200, await connection.send({ method: 'POST', path: '/2fa/verify', ...answer }))
    }
  },

  async refresh({ seeding, refreshed }) {
    const sessions = busySessions(seeding, REFRESHED_SESSIONS)
    const { successors } = refreshed
    return async (connection) => {
      const session = sessions[refreshed.turn++ % sessions.length] as number
      const body = { refresh_token: successors.get(session) ?? refreshTokenOf(session) }
      const reply = await connection.send({ method: 'POST', path: '/token/refresh', body })
      successors.set(session, expect(200, reply).json().refresh_token)
    }
  },

  async introspect({ deps, seeding }) {
    const tokens = await accessTokens(deps, seeding)
    const [audiences, scopes] = [[deps.config.audiences[0]], ['introspect']]
    const client = await createClient(
      deps,
      { name: randomBytes(8).toString('hex'), audiences, scopes },
      OPERATOR,
    )
    const caller = deps.accessTokens.issueService({ id: client?.id ?? '', scopes })
    let turn = 0
    return async (connection) => {
      const body = { token: tokens[turn++ % tokens.length] }
      expect(200, await connection.send({ method: 'POST', path: '/token/introspect', body, token: caller }))
    }
  },

  async me({ deps, seeding }) {
    const tokens = await accessTokens(deps, seeding)
    let turn = 0
    return async (connection) => {
      const token = tokens[turn++ % tokens.length] as string
      expect(200, await connection.send({ method: 'GET', path: '/me', token }))
    }
  },

  async document() {
    let turn = 0
    const paths = ['/openapi.json', '/openapi.yaml', '/.well-known/jwks.json', '/problems', '/docs']
    return async (connection) => {
      const path = paths[turn++ % paths.length] as string
      expect(200, await connection.send({ method: 'GET', path, headers: { 'accept-encoding': 'gzip' } }))
    }
  },

  async enrolment() {
    return async (connection) => {
      const username = `new${newcomers++}`
      const registered = await connection.send({
        method: 'POST',
        path: '/register',
        body: { username, password: PASSWORD },
      })
      const token = expect(201, registered).json().mfa_token
      const setup = expect(200, await connection.send({ method: 'POST', path: '/2fa/setup', token }))
      const { secret } = setup.json()
      await verify(connection, token, totp(secret, Date.now()))
    }
  },
}

let newcomers = 0

function busySessions({ accounts, sessionsEach, usableEvery = 1 }: Seeding, most = BUSY_SESSIONS): number[] {
  const usable = Math.floor((accounts - 1) / usableEvery) + 1
  const stride = coprimeStride(usable)
  const count = Math.min(most, usable)
  return Array.from({ length: count }, (_, i) => ((i * stride) % usable) * usableEvery * sessionsEach)
}

const OPERATOR = { by: 'operator', ip: '', userAgent: 'bench', requestId: 'bench' } as const

async function accessTokens(deps: Parts, seeding: Seeding): Promise<string[]> {
  const now = deps.clock.now()
  return busySessions(seeding).map((n) => {
    const account = Math.floor(n / seeding.sessionsEach)
    const grant = {
      account: { id: accountId(account), username: `user${account}`, roles: [] },
      session: { id: sessionId(n), amr: ['pwd', 'otp', 'mfa'], acr: 'aal2', authTime: now },
    }
    return deps.accessTokens.issue(grant as unknown as Grant)
  })
}

function login(connection: Connection, n: number): Promise<Reply> {
  const body = { username: `user${n}`, password: PASSWORD }
  return connection.send({ method: 'POST', path: '/login', body }).then((reply) => expect(200, reply))
}

async function verify(connection: Connection, token: string, code: string): Promise<void> {
  expect(200, await connection.send({ method: 'POST', path: '/2fa/verify', token, body: { code } }))
}

/** All seeded accounts have the same key, each under an id of its own. */
const PASSKEY = new SoftPasskey({ origin: 'https://id.example.com' })

/** Computed once for each time step: all seeded accounts have the same secret. */
let shown = { step: 0, code: '' }

function codeNow(): string {
  const step = Math.floor(Date.now() / 30_000)
  if (shown.step !== step) shown = { step, code: hotp(TOTP_SECRET, step) }
  return shown.code
}

function expect(status: number, reply: Reply): Reply {
  if (reply.status !== status)
    throw new Error(`expected ${status}, got ${reply.status}: ${reply.text.slice(0, 500)}`)
  return reply
}
