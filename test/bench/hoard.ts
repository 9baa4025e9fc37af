/** `npm run bench:hoard`: what an account with very many sessions and events costs, and what others notice of it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { sql } from 'kysely'
import { openDatabase } from '../../src/platform/database.ts'
import { claimsOf } from '../helpers/people/sessions.ts'
import { type Cluster, IN_EARNEST, startCluster } from '../helpers/programs/postgres.ts'
import { type Lifetime, startProcess } from '../helpers/programs/process.ts'
import { addEvents, addSessions, addUsedTokens } from '../helpers/service/many-rows.ts'
import { type Answer, type Enrolled, enrol, login, PASSWORD } from '../helpers/service/service.ts'
import { quantile } from './figures.ts'
import { describeMachine, number, table } from './report.ts'

const positive = (text: string) => {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new InvalidArgumentError('It must be a whole number above 0.')
}

const { rows, postgres } = new Command('hoard')
  .description('Compares an account with very many rows to an ordinary one, request by request.')
  .option('--rows <n>', 'sessions, used refresh tokens and events of the account, each', positive, 100_000)
  .option('--postgres', 'on PostgreSQL, and not on SQLite')
  .parse()
  .opts<{ rows: number; postgres?: boolean }>()

const columns = (first: string, second: string) => [
  ...[`${first} p50`, `${first} p99`, `${second} p50`, `${second} p99`],
  ...['ratio of p50', 'ratio of p99'],
]

const ROUNDS = 200
/** As many as there are recovery codes: an authenticator code is good once in 30 s. */
const SIGN_INS = 10

type Owner = Enrolled & { username: string }
type Request = (owner: Owner) => Promise<Answer>

const folder = mkdtempSync(`${tmpdir()}/keyturn-hoard-`)
const endings: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
const lifetime = { teardown: (ending: () => unknown) => void endings.unshift(ending) } as Lifetime
try {
  console.log(await measure(postgres ? await startCluster(IN_EARNEST) : null))
} finally {
  for (const end of endings) await end()
}

async function measure(cluster: Cluster | null): Promise<string> {
  lifetime.teardown(() => cluster?.stop())
  await cluster?.execute('create database hoard')
  const databaseUrl = cluster?.url('hoard') ?? `sqlite:${folder}/hoard.db`
  const server = await startProcess(lifetime, {
    DATABASE_URL: databaseUrl,
    SECRET_KEY: Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64'),
    ISSUER: 'https://id.example.com',
  })
  const ordinary = { ...(await enrol(server, 'grace')), username: 'grace' }
  const hoarder = { ...(await enrol(server, 'ada')), username: 'ada' }
  await fill(databaseUrl, hoarder)

  const requests: Record<string, Request> = {
    'GET /me': ({ accessToken }) => server.get('/me', accessToken),
    'GET /sessions': ({ accessToken }) => server.get('/sessions', accessToken),
    'GET /me/events': ({ accessToken }) => server.get('/me/events', accessToken),
    'POST /login': ({ username }) => server.post('/login', { username, password: PASSWORD }),
  }
  const lines = []
  for (const [name, request] of Object.entries(requests)) {
    const [own, theirs]: [number[], number[]] = [[], []]
    for (let round = 0; round < ROUNDS; round += 1) {
      own.push(await timed(() => request(ordinary)))
      theirs.push(await timed(() => request(hoarder)))
    }
    lines.push(compared(`\`${name}\``, own, theirs))
  }
  const signIns: [number[], number[]] = [[], []]
  for (let round = 0; round < SIGN_INS; round += 1)
    for (const [index, owner] of [ordinary, hoarder].entries()) {
      const code = { code: owner.recoveryCodes[round], method: 'recovery_code' }
      const mfaToken = await login(server, owner.username)
      signIns[index]?.push(await timed(() => server.post('/2fa/verify', code, mfaToken)))
    }
  lines.push(compared('`POST /2fa/verify`, which ends 500 sessions', ...signIns))

  const noticed = []
  for (const [name, end] of [
    ['DELETE /sessions', () => server.delete('/sessions', hoarder.accessToken)],
    ['DELETE /me', () => server.delete('/me', hoarder.accountToken)],
  ] as const) {
    const probes = ['GET /me', 'POST /login'] as const
    const probe = async () => {
      const times = []
      for (const each of probes) times.push(await timed(() => (requests[each] as Request)(ordinary)))
      return times
    }
    const quiet = []
    for (let round = 0; round < ROUNDS; round += 1) quiet.push(await probe())
    let busy = true
    const work = timed(end).finally(() => {
      busy = false
    })
    const meanwhile = []
    while (busy) meanwhile.push(await probe())
    const took = await work
    for (const [index, each] of probes.entries()) {
      const of = (times: number[][]) => times.map((time) => time[index] as number)
      noticed.push(compared(`\`${each}\` during \`${name}\` (${number(took)} ms)`, of(quiet), of(meanwhile)))
    }
  }
  const engine = cluster ? 'PostgreSQL' : 'SQLite'
  const what = `${rows.toLocaleString('en')} sessions, used refresh tokens and events`
  return [
    `${describeMachine()}; ${engine}; ${what}`,
    table(['its own requests, ms', ...columns('ordinary', 'hoarder')], lines),
    table(['requests of another account, ms', ...columns('quiet', 'meanwhile')], noticed),
  ].join('\n\n')
}

/** The rows are written behind the service's back: it would not let one account make them. */
async function fill(databaseUrl: string, { id, accessToken }: Owner): Promise<void> {
  const db = await openDatabase(databaseUrl)
  const service = { db, clock: { now: Date.now } }
  await addSessions(service, id, rows)
  await addUsedTokens(service, claimsOf(accessToken).sid, rows)
  await addEvents(service, id, rows)
  // As the autovacuum of PostgreSQL does within minutes: such an account grows over days.
  if (postgres) await sql`analyze`.execute(db)
  await db.destroy()
}

async function timed(request: () => Promise<Answer>): Promise<number> {
  const startedAt = performance.now()
  const { status, text } = await request()
  if (status >= 300) throw new Error(`${status}: ${text}`)
  return performance.now() - startedAt
}

function compared(name: string, before: number[], after: number[]): string[] {
  const [median, worst] = [0.5, 0.99].map((q) => [quantile(before, q), quantile(after, q)])
  const [p50 = 0, p50After = 0, p99 = 0, p99After = 0] = [...(median ?? []), ...(worst ?? [])]
  return [name, ...[p50, p99, p50After, p99After, p50After / p50, p99After / p99].map(number)]
}
