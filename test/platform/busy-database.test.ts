import BetterSqlite3 from 'better-sqlite3'
import t from 'tap'
import { sqlitePath } from '../../src/platform/sqlite.ts'
import { enrol, type Service, startService } from '../helpers/service.ts'
import { refresh } from '../helpers/sessions.ts'

/** Longer than SQLite itself waits for a lock, and shorter than the patience of the service. */
const HELD_MS = 400

/** Lets another connection hold the write lock for a moment, as another process or a backup does. */
async function whileHeld<T>({ databaseUrl }: Service, work: () => Promise<T>): Promise<T> {
  const other = new BetterSqlite3(sqlitePath(databaseUrl))
  other.exec('begin immediate')
  const released = new Promise<void>((resolve) =>
    setTimeout(() => {
      other.exec('commit')
      other.close()
      resolve()
    }, HELD_MS),
  )
  try {
    return await work()
  } finally {
    await released
  }
}

t.test('a request waits for another process that holds the database, and does not fail', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  t.equal((await whileHeld(service, () => refresh(service, ada.refreshToken))).status, 200)
})

t.test('reading goes on meanwhile', async (t) => {
  const service = await startService(t)
  const { accessToken } = await enrol(service)
  const start = performance.now()
  await whileHeld(service, async () => {
    t.equal((await service.get('/me', accessToken)).status, 200)
    t.ok(performance.now() - start < HELD_MS)
  })
})

t.test('work without a transaction of its own waits as well', async (t) => {
  const service = await startService(t)
  const { deps, db } = service
  await enrol(service)
  await whileHeld(service, () => deps.signingKeys.rotate())
  t.equal(deps.signingKeys.list().length, 2)

  await db.updateTable('sessions').set({ ended_at: 1 }).execute()
  await whileHeld(service, () => deps.cleanUp())
  t.equal((await db.selectFrom('sessions').selectAll().execute()).length, 0)
})
