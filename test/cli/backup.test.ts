import { randomBytes } from 'node:crypto'
import {
  closeSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'
import t, { type Test } from 'tap'
import { backUp, restore } from '../../src/cli/backup.ts'
import { readConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/platform/database.ts'
import { migrateUp } from '../../src/platform/migrate.ts'
import { markMade } from '../../src/platform/sqlite.ts'
import { sqlitePath } from '../../src/platform/sqlite-files.ts'
import { refresh } from '../helpers/people/sessions.ts'
import { onPostgres } from '../helpers/service/database.ts'
import { enrol, login, nextCode, register, type Service, startService } from '../helpers/service/service.ts'

/** Copies of a SQLite file while a service runs, the way back, and what is no whole copy. */

const KEY = randomBytes(32)
const agree = async () => {}

const configOf = (databaseUrl: string, key = KEY) =>
  readConfig({ DATABASE_URL: databaseUrl, SECRET_KEY: key.toString('base64') })

async function served(t: Test): Promise<{ home: Service; folder: string; url: string; path: string }> {
  const folder = t.testdir()
  const url = `sqlite:${folder}/keyturn.db`
  const home = await startService(t, { databaseUrl: url, rootKeys: [KEY], spared: ['fileIsSound'] })
  return { home, folder, url, path: sqlitePath(url) }
}

const again = (t: Test, { url, home }: { url: string; home: Service }) =>
  startService(t, { databaseUrl: url, rootKeys: [KEY], clock: home.clock, spared: ['fileIsSound'] })

if (onPostgres) {
  const { keyturn } = await import('../helpers/programs/operated-service.ts').then(({ startOperated }) =>
    startOperated(t),
  )
  for (const [command, tool] of [
    ['backup', /pg_dump --format=custom/],
    ['restore', /pg_restore --single-transaction/],
  ] as const)
    t.match(await keyturn(command, 'x.db', '--yes'), { code: 1, stderr: tool }, command)
} else {
  t.test(
    'a backup of a running service has all that was answered, and its owner alone reads it',
    async (t) => {
      const scene = await served(t)
      const { home, folder, url, path } = scene
      const ada = await enrol(home)
      const mask = process.umask(0)
      const file = `${folder}/backup.sqlite`
      t.match(await backUp(url, file, { overwrite: false }), { accounts: 1, until: Number, bytes: Number })
      process.umask(mask)
      t.equal(statSync(file).mode & 0o777, 0o600)
      await t.rejects(backUp(url, file, { overwrite: false }), /there already.*--overwrite/)
      await t.rejects(backUp(url, path, { overwrite: true }), /is a database in use/)
      for (const [other, fault] of [
        [folder, /is no file/],
        [`${folder}/nowhere/x`, /^There is no folder .*\/nowhere\.$/],
        ['', /is no file/],
      ] as const)
        await t.rejects(backUp(url, other, { overwrite: true }), fault)
      await register(home, 'grace')
      t.equal((await backUp(url, file, { overwrite: true })).accounts, 2)
      t.strictSame(
        readdirSync(folder).filter((name) => !name.startsWith('keyturn.db')),
        ['backup.sqlite'],
        'no draft is left',
      )
      await home.close()
      const abroad = await startService(t, {
        databaseUrl: `sqlite:${file}`,
        rootKeys: [KEY],
        clock: home.clock,
      })
      t.equal((await abroad.get('/me', ada.accessToken)).status, 200)
      await abroad.close()
    },
  )

  t.test('a restore ends every session, keeps what it replaces, and is in the audit trail', async (t) => {
    const scene = await served(t)
    const { home, folder, url, path } = scene
    const ada = await enrol(home)
    const file = `${folder}/backup.sqlite`
    await backUp(url, file, { overwrite: false })
    const before = readFileSync(file)
    await register(home, 'grace')
    await t.rejects(restore(configOf(url), file, agree), /has the database open. Stop it first/)
    await home.close()
    t.equal(await accountsIn(path), 2)

    const disagree = async () => {
      throw new Error('no')
    }
    await t.rejects(restore(configOf(url), file, disagree), /^no$|no/)
    t.equal(await accountsIn(path), 2, 'nothing was done')

    const { accounts, sessions, replaced, keyFault } = await restore(configOf(url), file, agree)
    t.strictSame([accounts, sessions, keyFault], [1, 1, null])
    t.equal(await accountsIn(replaced as string), 2, 'the one of before')
    t.strictSame(readFileSync(file), before, 'the backup is as it was')
    t.equal(statSync(path).mode & 0o777, 0o600)
    const after = await again(t, scene)
    t.equal((await refresh(after, ada.refreshToken)).status, 401, 'signed out')
    t.equal((await after.post('/2fa/verify', { code: nextCode(after, ada) }, await login(after))).status, 200)
    const { rows } = await after.db
      .selectFrom('audit_events')
      .select(['event', 'actor'])
      .where('event', '=', 'database_restored')
      .execute()
      .then((rows) => ({ rows }))
    t.strictSame(rows, [{ event: 'database_restored', actor: 'operator' }])
    await after.close()
  })

  t.test('a link to the database on another volume stays one', async (t) => {
    const { home, folder, url, path } = await served(t)
    const file = `${folder}/backup.sqlite`
    await backUp(url, file, { overwrite: false })
    await home.close()
    mkdirSync(`${folder}/volume`)
    renameSync(path, `${folder}/volume/real.db`)
    symlinkSync('volume/real.db', path)
    const { replaced } = await restore(configOf(url), file, agree)
    t.match(replaced, /volume\/real\.db\.replaced-/)
    t.ok(lstatSync(path).isSymbolicLink())
    t.equal(await accountsIn(`${folder}/volume/real.db`), 0)
  })

  t.test('a write-ahead log that a crash has left is not written into the backup', async (t) => {
    const scene = await served(t)
    const { home, folder, url, path } = scene
    await enrol(home)
    const file = `${folder}/backup.sqlite`
    await backUp(url, file, { overwrite: false })
    for (const name of ['grace', 'alan', 'edsger']) await register(home, name)
    // What a kill leaves: both files, as they are while it runs.
    for (const suffix of ['', '-wal']) copyFileSync(`${path}${suffix}`, `${folder}/left${suffix}`)
    await home.close()
    renameSync(`${folder}/left`, path)
    renameSync(`${folder}/left-wal`, `${path}-wal`)
    t.match(await restore(configOf(url), file, agree), { accounts: 1 })
    t.notOk(existsSync(`${path}-wal`))
    t.equal(await accountsIn(path), 1)
  })

  t.test(
    'a backup of an older version is brought up, and one that SECRET_KEY does not open says so',
    async (t) => {
      const { home, folder, url } = await served(t)
      await enrol(home)
      const file = `${folder}/backup.sqlite`
      await backUp(url, file, { overwrite: false })
      await home.close()
      const { keyFault } = await restore(configOf(url, randomBytes(32)), file, agree)
      t.match(keyFault, /^SECRET_KEY is not the key/)
    },
  )

  t.test('half a copy is refused, and the database stays', async (t) => {
    const { home, folder, url, path } = await served(t)
    await enrol(home)
    const file = `${folder}/backup.sqlite`
    await backUp(url, file, { overwrite: false })
    copyFileSync(path, `${folder}/without-log`)
    await home.close()
    const cut = `${folder}/cut`
    copyFileSync(file, cut)
    truncateSync(cut, Math.floor(statSync(file).size / 2 / 4096) * 4096)
    const scratched = `${folder}/scratched`
    copyFileSync(file, scratched)
    const open = openSync(scratched, 'r+')
    writeSync(open, Buffer.alloc(4096 * 4, 0xff), 0, 4096 * 4, 4096 * 6)
    closeSync(open)
    writeFileSync(`${folder}/letter`, 'Dear Ada, '.repeat(1000))
    const newer = `${folder}/newer`
    copyFileSync(file, newer)
    new BetterSqlite3(newer)
      .exec(
        "insert into kysely_migration (name, timestamp) values ('9999-of-the-future--from-9.0.0', '2099')",
      )
      .close()
    for (const [name, sentence] of [
      ['cut', /damaged/],
      ['scratched', /damaged/],
      ['letter', /is not a SQLite database/],
      ['without-log', /no table|damaged/],
      ['newer', /can be served from 9\.0\.0 on/],
      ['none', /There is no file/],
      ['keyturn.db', /is the database itself/],
    ] as const)
      await t.rejects(restore(configOf(url), `${folder}/${name}`, agree), sentence, name)
    t.equal(await accountsIn(path), 1)
    t.strictSame(
      readdirSync(folder).filter((name) => /keyturn\.db./.test(name)),
      [],
      'no draft is left',
    )
  })

  t.test('no start makes a new database where there was one', async (t) => {
    const make = async (url: string, mayMake = false) => {
      const db = await openDatabase(url, { mayMake })
      try {
        return await migrateUp(db)
      } finally {
        await db.destroy()
      }
    }
    for (const trace of ['keyturn.key', 'keyturn.db-wal', 'keyturn.db.old', 'keyturn.db.made']) {
      const folder = t.testdir({ [trace]: '' })
      const url = `sqlite:${folder}/keyturn.db`
      await t.rejects(make(url), new RegExp(`is gone: ${trace.replaceAll('.', '\\.')} .*migrate up --new`))
      t.strictSame(readdirSync(folder), [trace], 'nothing was made')
    }
    const folder = t.testdir({ 'other.db': '' })
    const url = `sqlite:${folder}/keyturn.db`
    t.ok((await make(url)).length > 0, 'a first start makes it')
    markMade(url)
    rmSync(`${folder}/keyturn.db`)
    await t.rejects(make(url), /keyturn\.db\.made is still there/)
    t.ok((await make(url, true)).length > 0, 'and who asks for it')
  })
}

async function accountsIn(path: string): Promise<number> {
  const sqlite = new BetterSqlite3(path)
  try {
    return sqlite.prepare('select count(*) from accounts').pluck().get() as number
  } finally {
    sqlite.close()
  }
}
