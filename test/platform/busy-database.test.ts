import { setTimeout as sleep } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import t from 'tap'
import { sqlitePath } from '../../src/platform/sqlite-files.ts'
import { cleanUp } from '../../src/upkeep/clean-up.ts'
import { refresh } from '../helpers/people/sessions.ts'
import { enrol, type Service, startService } from '../helpers/service/service.ts'

/** Longer than SQLite itself waits for a lock, and shorter than the patience of the service. */
const HELD_MS = 400

/** Another connection takes the write lock, as another process or a backup does. @returns what gives it back. */
function hold({ databaseUrl }: Service): () => void {
  const other = new BetterSqlite3(sqlitePath(databaseUrl))
  other.exec('begin immediate')
  return () => {
    other.exec('commit')
    other.close()
  }
}

/** Does something while the lock is held for a moment. */
async function whileHeld<T>(service: Service, work: () => Promise<T>): Promise<T> {
  const release = hold(service)
  const [done] = await Promise.all([work(), sleep(HELD_MS).then(release)])
  return done
}

t.test('a request waits for another process that holds the database, and does not fail', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  t.equal((await whileHeld(service, () => refresh(service, ada.refreshToken))).status, 200)
})

t.test('reading goes on meanwhile', async (t) => {
  const service = await startService(t)
  const { accessToken } = await enrol(service)
  const release = hold(service)
  t.equal((await service.get('/me', accessToken)).status, 200)
  release()
})

t.test('work without a transaction of its own waits as well', async (t) => {
  const service = await startService(t)
  const { deps, db } = service
  await enrol(service)
  await whileHeld(service, () => deps.signingKeys.rotate())
  t.equal(deps.signingKeys.list().length, 2)

  await db.updateTable('sessions').set({ ended_at: 1 }).execute()
  await whileHeld(service, () => cleanUp(deps))
  t.equal((await db.selectFrom('sessions').selectAll().execute()).length, 0)
})
