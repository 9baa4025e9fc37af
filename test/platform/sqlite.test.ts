import { chmodSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import t from 'tap'
import { openDatabase } from '../../src/platform/database.ts'
import { migrateUp } from '../../src/platform/migrate.ts'
import { sqlitePath } from '../../src/platform/sqlite-files.ts'
import { holdWriteLock } from '../helpers/faults/write-lock.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { listen } from '../helpers/requests/raw-socket.ts'
import { enrol, login, nextCode, PASSWORD, register, startService } from '../helpers/service/service.ts'
import { watchingStatements } from '../helpers/service/statements.ts'

t.test('a commit is on the disk before it is answered, and references hold', async (t) => {
  const { db } = await startService(t)
  const pragma = async (name: string) =>
    Object.values((await sql<Record<string, unknown>>`pragma ${sql.raw(name)}`.execute(db)).rows[0] ?? {})[0]
  t.equal(await pragma('journal_mode'), 'wal')
  t.equal(await pragma('synchronous'), 2, 'FULL: in WAL mode NORMAL could forget a used code in a power cut')
  t.equal(await pragma('foreign_keys'), 1)
  await t.rejects(
    sql`insert into challenges values ('c', 'nobody', 0, 0, 0, null)`.execute(db),
    /FOREIGN KEY/,
  )
})

t.test('what a savepoint may have to undo stays in memory, and migrations sort in files', async (t) => {
  const databaseUrl = `sqlite:${t.testdir()}/keyturn.db`
  const db = await openDatabase(databaseUrl, { mayMake: true })
  t.teardown(() => db.destroy())
  const texts: string[] = []
  await watchingStatements(
    databaseUrl,
    (text) => texts.push(text),
    () => migrateUp(db),
  )
  const ran = texts.filter((text) => /^(pragma temp_store|create index)/.test(text))
  t.equal(ran[0], 'pragma temp_store = file')
  t.match(ran[1], /^create index/)
  t.equal(ran.at(-1), 'pragma temp_store = memory')
  const { rows } = await sql`pragma temp_store`.execute(db)
  t.strictSame(rows, [{ temp_store: 2 }])
})

t.test('SQLite is of a version without the WAL-reset bug', async (t) => {
  const { db } = await startService(t)
  const { rows } = await sql<{ version: string }>`select sqlite_version() as version`.execute(db)
  const [major = 0, minor = 0, patch = 0] = rows[0]?.version.split('.').map(Number) ?? []
  t.ok(major * 1e6 + minor * 1e3 + patch >= 3_051_003, `${rows[0]?.version}`)
})

/**
 * The driver better-sqlite3 is synchronous, so a lock that another process holds could stop not one request but all of
 * them. A write waits for the lock between turns of the event loop instead, for a while.
 */
t.test('a write waits for the lock of another process, and the event loop goes on', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const mfaToken = await login(service)
  const code = nextCode(service, ada)
  const { release } = await holdWriteLock(t, sqlitePath(service.databaseUrl), 300_000)

  let answered = false
  const answer = service.post('/2fa/verify', { code }, mfaToken).finally(() => {
    answered = true
  })
  // A loop that stands still until SQLite gives up would turn next when the answer is there.
  for (let turn = 0; turn < 50; turn++) await sleep(5)
  t.equal((await service.get('/livez')).status, 200)
  t.notOk(answered, 'not before the lock is free')
  release()
  t.equal((await answer).status, 200)
})

t.test('while a write waits, everything else is served', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const { url } = await listen(service)
  const { release } = await holdWriteLock(t, sqlitePath(service.databaseUrl), 300_000)
  let written = false
  const waiting = service.post('/login', { username: 'ada', password: PASSWORD }).finally(() => {
    written = true
  })
  const headers = { authorization: `Bearer ${ada.accessToken}` }
  for (let i = 0; i < 5; i++) t.equal((await fetch(`${url}/me`, { headers })).status, 200)
  t.notOk(written)
  release()
  t.equal((await waiting).status, 200)
})

t.test('a lock that is held for long is answered with 503, and then everything recovers', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const mfaToken = await login(service)
  const code = nextCode(service, ada)
  const { release, released } = await holdWriteLock(t, sqlitePath(service.databaseUrl), 300_000)
  let free = false
  const freed = released.then(() => {
    free = true
  })

  isProblem(t, await service.post('/2fa/verify', { code }, mfaToken), 'unavailable')
  t.notOk(free, 'while the lock is held')
  t.equal((await service.get('/me', ada.accessToken)).status, 200, 'reading goes on meanwhile')
  isProblem(t, await service.get('/readyz'), 'unavailable')
  t.equal((await service.get('/readyz')).body.reason, 'locked')

  release()
  await freed
  service.clock.advance(3)
  t.equal((await service.get('/readyz')).status, 200)
  t.equal((await service.post('/2fa/verify', { code }, mfaToken)).status, 200, 'the code is still unused')
})

t.test('many that wait for one lock do not wait one after the other', async (t) => {
  const service = await startService(t)
  await register(service)
  const { release } = await holdWriteLock(t, sqlitePath(service.databaseUrl), 300_000)
  const refusedAfter = async (count: number) => {
    const startedAt = performance.now()
    const answers = await Promise.all(
      Array.from({ length: count }, () => service.post('/login', { username: 'ada', password: PASSWORD })),
    )
    for (const answer of answers) isProblem(t, answer, 'unavailable')
    return performance.now() - startedAt
  }
  const [one, eight] = [await refusedAfter(1), await refusedAfter(8)]
  release()
  t.ok(eight < 4 * one, `eight wait ${(eight / one).toFixed(1)} times as long as one`)
})

t.test('a new database is for its owner alone, also in a folder that others may enter', async (t) => {
  const folder = t.testdir()
  chmodSync(folder, 0o755)
  const path = `${folder}/new.db`
  const db = await openDatabase(`sqlite:${path}`)
  await migrateUp(db)
  for (const file of [path, `${path}-wal`]) t.equal(statSync(file).mode & 0o777, 0o600, file)
  await db.destroy()
})
