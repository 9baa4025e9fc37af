// The fault: the disk is full, or takes no writes, or what stands on it is garbage. Nobody is let in on a use that could
// not be written down, the log says why, and all is well again without a restart when the disk is.
import { execFileSync } from 'node:child_process'
import { closeSync, copyFileSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { sqlitePath } from '../../src/platform/sqlite-files.ts'
import { isAlive, refresh } from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { which } from '../helpers/programs/which.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { checkDatabaseFile } from '../helpers/service/invariants.ts'
import {
  type Answer,
  type Enrolled,
  enrol,
  login,
  nextCode,
  PASSWORD,
  type Service,
  startService,
} from '../helpers/service/service.ts'

const prlimit = which('prlimit')

interface Scene {
  service: Service
  ada: Enrolled
  /** From before the fault. */
  mfaToken: string
  code: string
}

async function scene(t: Test): Promise<Scene> {
  const service = await startService(t)
  const ada = await enrol(service)
  const code = nextCode(service, ada)
  return { service, ada, mfaToken: await login(service), code }
}

/** Everything that writes, by somebody who does it right. */
async function tryToWrite({ service, ada, mfaToken, code }: Scene): Promise<Answer[]> {
  return [
    await service.post('/2fa/verify', { code }, mfaToken),
    await service.post('/2fa/verify', { code: ada.recoveryCodes[0], method: 'recovery_code' }, mfaToken),
    await service.post('/login', { username: 'ada', password: PASSWORD }),
    await service.post('/register', { username: 'grace', password: PASSWORD }),
    await refresh(service, ada.refreshToken),
    await service.post('/logout', undefined, ada.accessToken),
  ]
}

function areRefused(t: Test, { logLines }: Service, answers: readonly Answer[], cause: RegExp): void {
  for (const answer of answers) {
    isProblem(t, answer, 'unavailable')
    const line = logLines
      .map((text) => JSON.parse(text))
      .find(({ err, request_id }) => err && request_id === answer.body.request_id)
    t.match(line, { level: 'error', err: { message: cause } }, 'the log says why')
  }
}

/** Some seconds later it says so, and why. */
async function isUnready(t: Test, service: Service, reason: string): Promise<void> {
  service.clock.advance(3)
  const answer = await service.get('/readyz')
  isProblem(t, answer, 'unavailable')
  t.equal(answer.body.reason, reason)
}

async function isWellAgain(t: Test, now: Scene): Promise<void> {
  now.service.clock.advance(3)
  t.equal((await now.service.get('/readyz')).status, 200)
  now.service.clock.advance(-3)
  const outcomes = (await tryToWrite(now)).map(outcomeOf)
  t.strictSame(outcomes, ['200', '401 invalid_token', '200', '201', '200', '204'])
  t.strictSame(await now.service.invariants.broken(), {})
}

t.test('a disk without room', async (t) => {
  const now = await scene(t)
  const { service, ada } = now
  const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(service.db)
  const limit = (pages = 0) => sql`pragma max_page_count = ${sql.raw(String(pages))}`.execute(service.db)
  await limit(rows[0]?.page_count)
  await fillUp(service)

  areRefused(t, service, await tryToWrite(now), /full/)
  t.ok(await isAlive(service, ada.accessToken), 'reading goes on')
  await limit(1_000_000)
  await isWellAgain(t, now)
})

const FILLER = {
  ...({ at: 0, event: 'code_sent', outcome: 'success', actor: 'operator', method: '' } as const),
  ...{ account_id: null, session_id: null, ip: '', user_agent: '', request_id: '' },
}

/** Also a page that is begun has room for a few rows more: of the table that every request writes to, none is left. */
async function fillUp({ db }: Service): Promise<void> {
  for (let row = 0; row < 10_000; row += 1)
    try {
      await db
        .insertInto('audit_events')
        .values({ ...FILLER, id: `filler ${row}` })
        .execute()
    } catch (error) {
      if ((error as { code?: string }).code === 'SQLITE_FULL') return
      throw error
    }
}

t.test('a disk that takes no writes', async (t) => {
  const now = await scene(t)
  const { service, ada } = now
  await sql`pragma query_only = on`.execute(service.db)
  areRefused(t, service, await tryToWrite(now), /readonly/)
  t.ok(await isAlive(service, ada.accessToken), 'reading goes on')
  await isUnready(t, service, 'read_only')
  await sql`pragma query_only = off`.execute(service.db)
  await isWellAgain(t, now)
})

t.test('a file with garbage in it', async (t) => {
  const now = await scene(t)
  const { service, ada } = now
  const { db, databaseUrl } = service
  await sql`pragma wal_checkpoint(truncate)`.execute(db)
  const sound = readFileSync(sqlitePath(databaseUrl))

  overwrite(service, Buffer.concat([sound.subarray(0, 4096), Buffer.alloc(sound.length - 4096, 0xa5)]))
  areRefused(t, service, await tryToWrite(now), /malformed/)
  areRefused(t, service, [await service.get('/me', ada.accessToken)], /malformed/)
  await isUnready(t, service, 'damaged')

  overwrite(service, sound)
  await isWellAgain(t, now)
})

for (const what of ['', '-wal'])
  t.test(
    `a file (${what || '.db'}) that was deleted or replaced under the service takes nothing`,
    async (t) => {
      const now = await scene(t)
      const { service } = now
      const path = `${sqlitePath(service.databaseUrl)}${what}`
      renameSync(path, `${path}.aside`)
      areRefused(t, service, await tryToWrite(now), /was deleted or replaced/)
      await isUnready(t, service, 'file_gone')
      copyFileSync(`${path}.aside`, path)
      areRefused(t, service, await tryToWrite(now), /was deleted or replaced/)
      await isUnready(t, service, 'file_gone')
      renameSync(`${path}.aside`, path)
      await isWellAgain(t, now)
    },
  )

/** Behind the back of SQLite, which forgets what it has read when another process has written. */
function overwrite({ databaseUrl }: Service, bytes: Buffer): void {
  const file = openSync(sqlitePath(databaseUrl), 'r+')
  writeSync(file, bytes, 0, bytes.length, 0)
  closeSync(file)
  const other = new BetterSqlite3(sqlitePath(databaseUrl))
  other.pragma(`user_version = ${Number(other.pragma('user_version', { simple: true })) + 1}`)
  other.close()
}

/** As a quota or a full disk does it, in the middle of a commit: the system takes only part of what is written. */
t.test('a system that takes no more bytes', { skip: !prlimit && 'prlimit is not installed' }, async (t) => {
  const environment = await sharedEnvironment(t)
  const server = await startProcess(t, environment)
  const path = sqlitePath(environment.DATABASE_URL ?? '')
  const limit = (bytes: number | 'unlimited') =>
    execFileSync(prlimit ?? '', ['--pid', String(server.pid), `--fsize=${bytes}:`])
  const ada = await enrol(server)
  const code = totp(ada.secret, Date.now() + 30_000)
  const mfaToken = await login(server)

  // It is written again from its beginning now and then; of a commit at its end part has room.
  limit(statSync(`${path}-wal`).size + 6_000)
  const answers: Answer[] = []
  for (let call = 0; call < 4; call += 1)
    answers.push(
      await server.post('/2fa/verify', { code }, mfaToken),
      await server.post('/register', { username: `grace-${call}`, password: PASSWORD }),
    )
  for (const answer of answers) isProblem(t, answer, 'unavailable')
  t.equal((await server.get('/me', ada.accessToken)).status, 200, 'reading goes on')
  await eventually('it is not ready, and says why', async () =>
    /disk/.test((await server.get('/readyz')).text),
  )

  limit('unlimited')
  await eventually('it is ready', async () => (await server.get('/readyz')).status === 200)
  const after = await server.post('/2fa/verify', { code }, mfaToken)
  t.equal(outcomeOf(after), '200', 'the code was not used up')
  for (let call = 0; call < 4; call += 1)
    t.equal((await server.post('/register', { username: `grace-${call}`, password: PASSWORD })).status, 201)
  await server.stop()
  const errors = server
    .output()
    .split('\n')
    .filter((line) => line.includes('"level":"error"') && !line.includes('stores nothing'))
  t.equal(errors.length, answers.length)
  for (const line of errors)
    t.match(JSON.parse(line), { err: { message: /disk I\/O error|full/ } }, 'the log says why')
  await checkDatabaseFile(path, server.output())
})
