import t from 'tap'
import { copyDatabase } from '../../src/cli/commands/copy.ts'
import { refresh } from '../helpers/people/sessions.ts'
import { enrol, startService } from '../helpers/service/service.ts'

/** A database that moves from one file to another. (From one engine to the other, and kills: copy.long.test.ts) */

t.test('a copy has every row, and its service goes on with the tokens', async (t) => {
  const home = await startService(t)
  const ada = await enrol(home)
  await home.close()
  const target = `sqlite:${t.testdir()}/copy.db`
  const { resumed, tables } = await copyDatabase(home.databaseUrl, target)
  t.notOk(resumed)
  t.match(tables, { accounts: { rows: 1 }, sessions: { rows: 1 }, recovery_codes: { rows: 10 } })

  const abroad = await startService(t, { databaseUrl: target, clock: home.clock })
  t.equal((await abroad.get('/me', ada.accessToken)).status, 200)
  t.equal((await refresh(abroad, ada.refreshToken)).status, 200)
  await abroad.close()
  await t.rejects(copyDatabase(home.databaseUrl, target), /has rows/, 'it is not copied over')
})

t.test('what a service writes to, or what is not there, is not copied', async (t) => {
  const { databaseUrl } = await startService(t)
  const target = `sqlite:${t.testdir()}/copy.db`
  await t.rejects(copyDatabase(databaseUrl, target), /Stop it first/)
  await t.rejects(copyDatabase(databaseUrl, databaseUrl), /the same database/)
  await t.rejects(copyDatabase(`sqlite:${t.testdirName}/none.db`, target), /none\.db/)
})
