import { randomBytes } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import t from 'tap'
import { keyturnOn } from '../helpers/programs/keyturn.ts'
import { register, startService } from '../helpers/service/service.ts'

/** A database file that is gone, or that is not there yet on a new machine: what is left of the old one stays. */

const KEY = randomBytes(32)

const keyturnIn = (folder: string) =>
  keyturnOn({ DATABASE_URL: `sqlite:${folder}/keyturn.db`, SECRET_KEY: KEY.toString('base64') })

t.test('a new database keeps the write-ahead log of a lost one, which can come back', async (t) => {
  const folder = t.testdir()
  const path = `${folder}/keyturn.db`
  const home = await startService(t, {
    databaseUrl: `sqlite:${path}`,
    rootKeys: [KEY],
    spared: ['fileIsSound'],
  })
  for (const name of ['ada', 'grace', 'alan']) await register(home, name)
  // What a kill leaves: both files, as they are while it runs.
  for (const suffix of ['', '-wal']) copyFileSync(`${path}${suffix}`, `${folder}/left${suffix}`)
  await home.close()
  renameSync(`${folder}/left-wal`, `${path}-wal`)
  renameSync(path, `${folder}/unused`)
  const { size } = statSync(`${path}-wal`)

  const keyturn = keyturnIn(folder)
  t.match(await keyturn('migrate', 'up'), { code: 1, stderr: /keyturn\.db-wal is still there/ })
  const made = await keyturn('migrate', 'up', '--new')
  t.equal(made.code, 0, made.stderr)
  const aside = readdirSync(folder).find((name) => /^keyturn\.db\.replaced-.*-wal$/.test(name)) ?? ''
  t.equal(statSync(`${folder}/${aside}`).size, size, 'all of it')
  t.ok(made.stderr.includes(`${folder}/${aside}`), 'and it is said where, at once')
  t.notOk(existsSync(`${path}-shm`))
  t.match(await keyturn.json('migrate', 'up', '--new'), { migrations: [], set_aside: null }, 'no second time')

  const lost = `${folder}/${aside.replace(/-wal$/, '')}`
  t.ok(made.stderr.includes(`keyturn restore ${lost}`), 'and how it comes back')
  renameSync(`${folder}/left`, lost)
  t.match(await keyturn.json('restore', lost, '--yes'), { accounts: 3 })
})

t.test('the log of a lost database to which a link leads is kept there', async (t) => {
  const folder = t.testdir({ 'keyturn.db': t.fixture('symlink', 'volume/real.db'), volume: {} })
  writeFileSync(`${folder}/volume/real.db-wal`, 'x')
  const { set_aside } = await keyturnIn(folder).json('migrate', 'up', '--new')
  t.match(set_aside, [/volume\/real\.db\.replaced-.*-wal$/])
  t.equal(statSync(set_aside[0]).size, 1)
  t.ok(statSync(`${folder}/volume/real.db`).size > 0)
})

t.test('without --new no database is made where a log is left, also where links lead', async (t) => {
  const folder = t.testdir({
    inner: { 'keyturn.db': t.fixture('symlink', '../real.db') },
    linked: t.fixture('symlink', 'inner'),
    'real.db-wal': 'x',
  })
  for (const path of ['linked/keyturn.db', 'inner/keyturn.db']) {
    const keyturn = keyturnOn({
      DATABASE_URL: `sqlite:${folder}/${path}`,
      SECRET_KEY: KEY.toString('base64'),
    })
    t.match(await keyturn('migrate', 'up'), { code: 1, stderr: /real\.db-wal is still there/ }, path)
  }
  const { set_aside } = await keyturnIn(`${folder}/linked`).json('migrate', 'up', '--new')
  t.match(set_aside, [/real\.db\.replaced-.*-wal$/])
})

t.test('an empty file is no database whose log could be meant', async (t) => {
  const folder = t.testdir({ 'keyturn.db': '', 'keyturn.db-wal': 'x', 'keyturn.db-journal': 'y' })
  const { set_aside } = await keyturnIn(folder).json('migrate', 'up', '--new')
  t.match(set_aside, [/keyturn\.db\.replaced-.*-wal$/, /keyturn\.db\.replaced-.*-journal$/])
  for (const file of set_aside) t.equal(statSync(file).size, 1)
})

t.test('a restore on a new machine makes the folder, for its owner alone', async (t) => {
  const folder = t.testdir()
  mkdirSync(`${folder}/old`)
  const old = keyturnIn(`${folder}/old`)
  await old.json('migrate', 'up')
  await old.json('backup', `${folder}/backup.db`)
  const { code, stderr } = await keyturnIn(`${folder}/new/data`)('restore', `${folder}/backup.db`, '--yes')
  t.equal(code, 0, stderr)
  t.equal(statSync(`${folder}/new/data`).mode & 0o777, 0o700)
  t.ok(existsSync(`${folder}/new/data/keyturn.db`))
})
