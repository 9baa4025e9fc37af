import { randomBytes } from 'node:crypto'
import { chmodSync, readdirSync } from 'node:fs'
import t from 'tap'
import type { Ended } from '../helpers/programs/command.ts'
import { jsonLines } from '../helpers/programs/importing.ts'
import { keyturnOn, notClosable, runWarm } from '../helpers/programs/keyturn.ts'
import { CHEAP_HASHES } from '../helpers/service/service.ts'

/** An operator who may not enter the folder of the database is told so: that is not to be taken for an empty folder. */

const skip = notClosable()

type Run = (command: string, environment: Record<string, string>) => Promise<Ended>

/** Closes a folder for a while. */
async function whileClosed(folder: string, work: (run: Run) => Promise<void>): Promise<void> {
  chmodSync(folder, 0)
  try {
    await work((command, environment) =>
      runWarm(command.split(' '), { ...CHEAP_HASHES, ...environment }, '', true),
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
  const before = readdirSync(folder)
  const sentence = /^The database .*data\/keyturn\.db cannot be opened for writing\. Check the path/
  await whileClosed(data, async (run) => {
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
    for (const [command, file] of [
      [`backup ${data}/other.db`, 'other.db'],
      [`restore ${data}/keyturn.db --yes`, 'keyturn.db'],
    ] as const) {
      const stderr = new RegExp(`^The database .*data/${file} cannot be opened`)
      t.match(await run(command, elsewhere), { code: 1, stderr }, command)
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
  await whileClosed(`${folder}/data`, async (run) => {
    const { findings } = JSON.parse((await run('doctor --json', environment)).stdout)
    const found = /The database .*data\/keyturn\.db cannot be opened for writing/
    t.match(
      findings.filter(({ check }: { check: string }) => check === 'settings'),
      [{ status: 'fail', found }],
    )
    for (const command of ['serve', 'users list']) {
      const { code, stderr } = await run(command, environment)
      t.match({ code, stderr }, { code: 1, stderr: found }, command)
      t.notMatch(stderr, /openssl/, 'no new key is proposed')
    }
  })
})
