import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { openDatabase } from '../../src/platform/database.ts'
import { refresh } from '../helpers/people/sessions.ts'
import { type Ended, runCommand } from '../helpers/programs/command.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { newDatabase } from '../helpers/service/database.ts'
import { enrol, login, nextCode, type Service, startService, wrongCode } from '../helpers/service/service.ts'

// Moving house: from one engine to another and back, with everything, so that nobody notices but the operator.

const rootKeys = [randomBytes(32)]

const newFile = (t: Test) => `sqlite:${t.testdirName}/${randomBytes(4).toString('hex')}.db`

function copy(t: Test, from: string, to: string, ...more: string[]): Promise<Ended> {
  return runCommand(t, ['src/cli/cli.ts', 'copy', '--from', from, '--to', to, ...more]).ended
}

/** A service with an account on a SQLite file. */
async function startSource(t: Test): Promise<Service> {
  t.testdir()
  return startService(t, { databaseUrl: newFile(t), rootKeys })
}

t.test('codes, tokens and guesses go on where they were, there and back', async (t) => {
  const home = await startSource(t)
  const ada = await enrol(home)
  const mfaToken = await login(home)
  const usedCode = nextCode(home, ada)
  t.equal((await home.post('/2fa/verify', { code: usedCode }, mfaToken)).status, 200)
  const pending = await login(home)
  await home.post('/2fa/verify', { code: wrongCode(home, ada) }, pending)
  const keys = (await home.get('/.well-known/jwks.json')).body
  await home.close()

  const abroad = await newDatabase(t, { empty: true })
  const back = newFile(t)
  let { accessToken, refreshToken } = ada
  for (const [index, [from, to]] of [
    [home.databaseUrl, abroad],
    [abroad, back],
  ].entries()) {
    const { code, stdout, stderr } = await copy(t, from as string, to as string)
    t.equal(code, 0, stderr)
    t.match(stdout, /^accounts +1 +[0-9a-f]{64}$/m)
    t.match(stdout, /same ISSUER and SECRET_KEY/)

    const service = await startService(t, { databaseUrl: to as string, rootKeys, clock: home.clock })
    t.strictSame((await service.get('/.well-known/jwks.json')).body, keys, 'the same keys')
    t.equal((await service.get('/me', accessToken)).status, 200, 'access tokens are good')
    const refreshed = await refresh(service, refreshToken)
    t.equal(refreshed.status, 200, 'refresh tokens are good')
    ;({ access_token: accessToken, refresh_token: refreshToken } = refreshed.body)
    t.equal((await service.post('/2fa/verify', { code: usedCode }, await login(service))).status, 422, 'once')
    const { attempts_left } = (await service.post('/2fa/verify', { code: wrongCode(service, ada) }, pending))
      .body
    t.equal(attempts_left, 3 - index, 'tries are counted on')
    t.equal(
      (await service.post('/2fa/verify', { code: nextCode(service, ada) }, await login(service))).status,
      200,
    )
    const code2 = { code: ada.recoveryCodes[index], method: 'recovery_code' }
    t.equal((await service.post('/2fa/verify', code2, await login(service))).status, 200)
    t.equal((await service.post('/2fa/verify', code2, await login(service))).status, 422)
    await service.close()
  }
})

t.test('what would lose or mix something is refused', async (t) => {
  const source = await startSource(t)
  await enrol(source)
  const target = await newDatabase(t, { empty: true })
  t.match(await copy(t, source.databaseUrl, target), { code: 1, stdout: '', stderr: /Stop it first/ })
  await source.close()

  const other = await startService(t)
  t.match(await copy(t, source.databaseUrl, other.databaseUrl), { code: 1, stderr: /not empty \(hash_keys/ })
  t.match(
    await copy(t, other.databaseUrl, newFile(t)),
    { code: 1, stderr: /Stop it first/ },
    'on either engine',
  )
  t.match(await copy(t, source.databaseUrl, source.databaseUrl), { code: 1, stderr: /the same database/ })
  t.match(await copy(t, newFile(t), target), { code: 1, stderr: /There is no database/ })
  t.match(await copy(t, 'mysql://x/y', target), { code: 2, stderr: /^--from must be/ })
  t.match(await copy(t, source.databaseUrl, 'postgres://x'), { code: 2, stderr: /^--to must be/ })

  t.equal((await copy(t, source.databaseUrl, target)).code, 0)
  t.match(await copy(t, source.databaseUrl, target), { code: 1, stderr: /not empty/ }, 'nor twice')
})

/** A source with so many rows that a copy can be met half way, and a copy that was killed there. */
async function breakOff(t: Test): Promise<{ source: Service; target: string }> {
  const source = await startSource(t)
  await enrol(source)
  const event = await source.db.selectFrom('audit_events').selectAll().executeTakeFirstOrThrow()
  for (let page = 0; page < 40; page++)
    await source.db
      .insertInto('audit_events')
      .values(Array.from({ length: 500 }, (_, row) => ({ ...event, id: `z-${page * 500 + row}` })))
      .execute()
  await source.close()

  const target = await newDatabase(t, { empty: true })
  const { signal, ended } = runCommand(t, [
    'src/cli/cli.ts',
    'copy',
    '--from',
    source.databaseUrl,
    '--to',
    target,
  ])
  const db = await openDatabase(target)
  await eventually('some of the rows are there', async () => {
    const { rows } = await sql<{ count: number }>`select count(*) as count from audit_events`
      .execute(db)
      .catch(() => ({ rows: [] }))
    return (rows[0]?.count ?? 0) > 500
  })
  signal('SIGKILL')
  t.equal((await ended).code, null)
  await db.destroy()
  return { source, target }
}

t.test('a copy that was killed goes on, and no service starts on half of one', async (t) => {
  const { source, target } = await breakOff(t)
  await t.rejects(startService(t, { databaseUrl: target, rootKeys }), /was broken off/)

  const { code, stdout, stderr } = await copy(t, source.databaseUrl, target, '--json')
  t.equal(code, 0, stderr)
  const copied = JSON.parse(stdout)
  t.equal(copied.resumed, true)
  t.ok(copied.tables.audit_events.rows > 20_000)
  const service = await startService(t, { databaseUrl: target, rootKeys, clock: source.clock })
  t.equal((await service.get('/readyz')).status, 200)
})

t.test('a source that went on after its copy was killed is noticed', async (t) => {
  const { source, target } = await breakOff(t)
  const db = await openDatabase(source.databaseUrl)
  await db.updateTable('accounts').set({ password_hash: 'another' }).execute()
  await db.destroy()
  t.match(await copy(t, source.databaseUrl, target), { code: 1, stderr: /copy of accounts differs/ })
})
