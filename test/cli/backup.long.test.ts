import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import t from 'tap'
import { sqlitePath } from '../../src/platform/sqlite.ts'
import { keyturnOn } from '../helpers/programs/keyturn.ts'
import { onPostgres } from '../helpers/service/database.ts'
import { enrol, startService } from '../helpers/service/service.ts'

// What the commands say. (What they do: backup.test.ts)
const skip = onPostgres && 'about SQLite'

t.test('backup and restore say what they did, and what a restored past means', { skip }, async (t) => {
  const folder = t.testdir()
  const key = randomBytes(32)
  const url = `sqlite:${folder}/keyturn.db`
  const home = await startService(t, { databaseUrl: url, rootKeys: [key], spared: ['fileIsSound'] })
  const environment = { DATABASE_URL: url, SECRET_KEY: key.toString('base64') }
  const keyturn = keyturnOn(t, environment)
  await enrol(home)
  const file = `${folder}/backup.sqlite`
  const made = await keyturn('backup', file)
  t.match(made, {
    code: 0,
    stdout: /has 1 accounts, as of 2026-.* and is sound\.\nSECRET_KEY is not in it/,
  })
  await home.close()
  t.match(await keyturn('restore', file), { code: 2, stderr: /Put 1 accounts, .* say so with --yes/ })
  const back = await keyturn('restore', file, '--yes')
  t.match(back, { code: 0, stdout: /1 sessions are ended.*\nUndone is what happened since/ })
  const replaced = /^ {2}DATABASE_URL=(\S+) keyturn audit --since (\S+)$/m.exec(back.stdout)
  t.match(
    await keyturnOn(t, { ...environment, DATABASE_URL: replaced?.[1] ?? '' })(
      'audit',
      '--since',
      replaced?.[2] ?? '',
    ),
    { code: 0, stdout: /session_started/ },
  )
  rmSync(sqlitePath(url))
  t.match(await keyturn('migrate', 'up'), { code: 1, stderr: /is gone/ })
  t.match(await keyturn('migrate', 'up', '--new'), { code: 0, stdout: /^up: / })
})
