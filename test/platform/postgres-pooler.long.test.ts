// PgBouncer, as its defaults are, between the service and PostgreSQL: others use the sessions as well.
import t from 'tap'
import { checkDatabase } from '../../src/cli/doctor/database.ts'
import { type Db, openDatabase } from '../../src/platform/database.ts'
import { refresh } from '../helpers/people/sessions.ts'
import { pgbouncerMissing, startPgbouncer } from '../helpers/programs/pgbouncer.ts'
import { newDatabase, notOnPostgres } from '../helpers/service/database.ts'
import { foreign, leaveBehind, noteSettings } from '../helpers/service/noted-settings.ts'
import { enrol, startService } from '../helpers/service/service.ts'

for (const mode of ['session', 'transaction'] as const)
  t.test(
    `behind PgBouncer in ${mode} mode each commit is durable, and each wait has an end`,
    { skip: notOnPostgres || pgbouncerMissing },
    async (t) => {
      const databaseUrl = await newDatabase(t)
      const noted = await noteSettings(databaseUrl)
      const pooled = await startPgbouncer(t, databaseUrl, mode)
      const service = await startService(t, { databaseUrl: pooled })
      const stranger = await openDatabase(pooled)
      t.teardown(() => stranger.destroy())
      for (let person = 0; person < 8; person += 1) {
        await Promise.all(Array.from({ length: 8 }, () => leaveBehind(stranger)))
        const { refreshToken } = await enrol(service, `ada${person}`)
        t.equal((await refresh(service, refreshToken)).status, 200)
      }
      t.equal((await noted()).length, 8)
      t.strictSame(await foreign(noted), [])
      const said = async (db: Db) =>
        (await checkDatabase(db, pooled, service.clock)).findings.map(({ found }) => found)
      t.match((await said(stranger)).join(), /behind a pooler/)
      const direct = await openDatabase(databaseUrl)
      t.notMatch((await said(direct)).join(), /behind a pooler/)
      await direct.destroy()
    },
  )
