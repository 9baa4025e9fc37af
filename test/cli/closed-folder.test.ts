import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import t, { type Test } from 'tap'
import type { Ended } from '../helpers/programs/command.ts'
import { jsonLines } from '../helpers/programs/importing.ts'
import { keyturnOn, runWarm } from '../helpers/programs/keyturn.ts'
import { unprivileged } from '../helpers/programs/postgres.ts'
import { onPostgres } from '../helpers/service/database.ts'
import { CHEAP_HASHES } from '../helpers/service/service.ts'

/** An operator who may not enter the folder of the database is told so: that is not to be taken for an empty folder. */

const skip = onPostgres && 'PostgreSQL has no file'

type Run = (command: string, environment: Record<string, string>) => Promise<Ended>

/** Closes a folder for a while. Root may enter everything, so the commands run as another user then. */
async function whileClosed(t: Test, folder: string, work: (run: Run) => Promise<void>): Promise<void> {
  const uid = unprivileged()?.uid
  const parent = dirname(folder)
  chmodSync(parent, 0o755)
  if (spawnSync('ls', [parent], uid === undefined ? {} : { uid }).status !== 0)
    return t.comment('skipped: the other user cannot read the folder of the tests')
  chmodSync(folder, uid === undefined ? 0 : 0o700)
  try {
    await work((command, environment) =>
      runWarm(command.split(' '), { ...CHEAP_HASHES, ...environment }, '', uid),
    )
  } finally {
    chmodSync(folder, 0o700)
  }
}

t.test('no command takes a database that it may not see for one that is not there', { skip }, async (t) => {
  const folder = t.testdir({ data: {}, 'users.jsonl': jsonLines({ username: 'ada', password_hash: 'x' }) })
  const data = `${folder}/data`
  const environment = {
    DATABASE_URL: `sqlite:${data}/keyturn.db`,
    SECRET_KEY: randomBytes(32).toString('base64'),
  }
  await keyturnOn(environment).json('migrate', 'up')
  await keyturnOn(environment).json('backup', `${folder}/backup.db`)
  for (const file of ['backup.db', 'users.jsonl']) chmodSync(`${folder}/${file}`, 0o644)
  const before = readdirSync(folder)
  const sentence = /^The database .*data\/keyturn\.db cannot be opened for writing\. Check the path/
  await whileClosed(t, data, async (run) => {
    for (const command of [
      'users list',
      'keys status',
      'audit',
      `export ${folder}/export.jsonl`,
      'sessions end --all --yes',
      'migrate status',
      'migrate up',
      'migrate up --new',
      'migrate down --yes',
      `import ${folder}/users.jsonl`,
      `restore ${folder}/backup.db --yes`,
      `backup ${folder}/other.db`,
      `copy --from ${environment.DATABASE_URL} --to sqlite:${folder}/copy.db`,
      'serve',
    ])
      t.match(await run(command, environment), { code: 1, stdout: '', stderr: sentence }, command)

    const elsewhere = { ...environment, DATABASE_URL: `sqlite:${folder}/backup.db` }
    for (const command of [`backup ${data}/other.db`, `restore ${data}/keyturn.db --yes`]) {
      const { code, stderr } = await run(command, elsewhere)
      t.equal(code, 1, command)
      t.match(stderr, /^The database .*data\/.* cannot be opened/, command)
    }

    const doctor = JSON.parse((await run('doctor --json', environment)).stdout)
    const fails = doctor.findings.filter(({ status }: { status: string }) => status === 'fail')
    t.match(fails, [
      { check: 'database', found: sentence },
      { check: 'files', found: sentence },
    ])
  })
  t.strictSame(readdirSync(folder), before, 'and nothing was made')
})

t.test('a key that cannot be seen is not to be replaced by a new one', { skip }, async (t) => {
  const folder = t.testdir({ data: { 'keyturn.key': 'x' } })
  const environment = { DATABASE_URL: `sqlite:${folder}/data/keyturn.db`, NODE_ENV: 'production' }
  await whileClosed(t, `${folder}/data`, async (run) => {
    for (const command of ['serve', 'users list'])
      t.match(
        await run(command, environment),
        { code: 1, stderr: /^The database .*data\/keyturn\.db cannot be opened for writing\. [^\n]*\n$/ },
        command,
      )
  })
})
