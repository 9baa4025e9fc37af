import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import BetterSqlite3 from 'better-sqlite3'
import t from 'tap'
import { openDatabase } from '../../src/platform/database.ts'
import { migrateDown, migrateUp } from '../../src/platform/migrate.ts'
import { childOptions } from '../helpers/programs/child-environment.ts'
import { which } from '../helpers/programs/which.ts'

const prlimit = which('prlimit') ?? ''
const skip = prlimit ? false : 'NOT TESTED: no prlimit (Debian: util-linux)'
const CLI = fileURLToPath(new URL('../../src/cli/keyturn.js', import.meta.url))
const BACK = 6

/** SQLite says nothing when the log of a database does not fit into it at the end. */
t.test('a restore that does not fit fails, and the database stays', { skip }, async (t) => {
  const folder = t.testdir({})
  const path = `${folder}/keyturn.db`
  for (const [file, back] of [
    [path, 0],
    [`${folder}/old.db`, BACK],
  ] as const) {
    const db = await openDatabase(`sqlite:${file}`)
    await migrateUp(db)
    for (let step = 0; step < back; step += 1) await migrateDown(db)
    await db.destroy()
  }
  const backup = `${folder}/backup`
  new BetterSqlite3(`${folder}/old.db`).exec(`vacuum into '${backup}'`).close()
  const before = statSync(path).ino
  const environment = { DATABASE_URL: `sqlite:${path}`, SECRET_KEY: randomBytes(32).toString('base64') }
  // It holds the backup, and not what the migrations add to it.
  const limit = `--fsize=${statSync(backup).size + 8192}`
  const restoring = promisify(execFile)(
    prlimit,
    [limit, process.execPath, CLI, 'restore', backup, '--yes'],
    childOptions(environment),
  )
  const ended = await restoring.catch((error) => error)
  t.match(ended, {
    stdout: '',
    stderr: /^The copy of .* could not be completed in .*: is its disk full\?\n$/,
  })
  // A limit, unlike a disk, sends a signal, which Node.js ignores until it has begun to exit.
  t.ok(ended.code === 1 || ended.signal === 'SIGXFSZ', `${ended.code} ${ended.signal}`)
  t.equal(statSync(path).ino, before)
  t.strictSame(readdirSync(folder).sort(), ['backup', 'keyturn.db', 'old.db'], 'nothing is left over')
  t.equal(new BetterSqlite3(path, { readonly: true }).pragma('quick_check', { simple: true }), 'ok')
})
