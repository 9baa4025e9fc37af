// The fault: the disk is full, and not only for one file: a file system of six MiB. Who was told that an account is made has
// one, who was refused can come again, every instrument says why, and room on the disk is all that it takes to go on.
import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type Lifetime, runCommand } from '../helpers/programs/command.ts'
import { freePort } from '../helpers/programs/free-port.ts'
import { keyturnOn } from '../helpers/programs/keyturn.ts'
import { sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { checkDatabaseFile } from '../helpers/service/invariants.ts'
import { PASSWORD } from '../helpers/service/service.ts'

const mountMissing =
  spawnSync('unshare', ['--mount', 'true']).status === 0
    ? false
    : 'NOT TESTED: no right to mount a file system'

function smallDisk(t: Lifetime): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-disk-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', folder])
  t.teardown(() => execFileSync('umount', ['--lazy', folder]))
  return folder
}

/** Takes what room is left but so many bytes. */
function fill(folder: string, left = 0): void {
  const { bavail, bsize } = statfsSync(folder)
  appendFileSync(join(folder, 'ballast'), Buffer.alloc(Math.max(0, bavail * bsize - left), 1))
}

t.test(
  'a full disk loses nothing, is named everywhere, and heals by itself',
  { skip: mountMissing },
  async (t) => {
    const folder = smallDisk(t)
    const path = join(folder, 'keyturn.db')
    const environment = {
      ...(await sharedEnvironment(t)),
      DATABASE_URL: `sqlite:${path}`,
      METRICS_PORT: String(await freePort()),
    }
    const server = await startProcess(t, environment)
    const made: string[] = []
    const register = async (username: string) => {
      const answer = await server.post('/register', { username, password: PASSWORD })
      if (answer.status === 201) made.push(username)
      return answer
    }
    t.equal((await register('before')).status, 201)
    fill(folder, 64 * 1024)
    for (let n = 0; (await register(`on-the-way-${n}`)).status === 201; n += 1);
    fill(folder)
    isProblem(t, await register('refused'), 'unavailable')

    await eventually('it is not ready', async () => (await server.get('/readyz')).body.reason === 'disk_full')
    const metrics = await (await fetch(`http://127.0.0.1:${environment.METRICS_PORT}/metrics`)).text()
    t.match(metrics, /^keyturn_database_up 0$/m)
    t.match(metrics, /^keyturn_database_fault\{reason="disk_full"\} 1$/m)
    t.match(server.output(), /SQLITE_FULL/, 'the log has the code of SQLite')
    const keyturn = keyturnOn(environment)
    t.match((await keyturn('doctor')).stdout, /disk/i)
    const backup = await keyturn('backup', join(folder, 'backup.db'))
    t.equal(backup.code, 1)
    t.match(backup.stderr, /^The copy of .* does not fit into .*: its disk is full\.\n$/)
    t.strictSame(
      readdirSync(folder).filter((name) => name.includes('backup')),
      [],
      'and leaves no half of a file',
    )

    rmSync(join(folder, 'ballast'))
    await eventually('it is ready again', async () => (await server.get('/readyz')).status === 200)
    t.equal((await register('refused')).status, 201, 'who was refused can come again')
    for (const username of made)
      t.equal(outcomeOf(await server.post('/login', { username, password: PASSWORD })), '200', username)
    await server.stop()
    await checkDatabaseFile(path, '')

    fill(folder)
    const late = await runCommand(t, ['src/cli/keyturn.js', 'serve'], {
      ...environment,
      DATABASE_URL: `sqlite:${join(folder, 'other.db')}`,
    }).ended
    t.equal(late.code, 1)
    t.notMatch(late.stdout, '"msg":"ready"')
    t.match(late.stderr, /full/i, 'nor does a service start on it')
    t.notOk(existsSync(join(folder, 'other.db-wal')))
  },
)

t.test('a first start on a full disk is told so in a sentence', { skip: mountMissing }, async (t) => {
  const folder = smallDisk(t)
  fill(folder, 64 * 1024)
  const keyturn = keyturnOn({
    ...(await sharedEnvironment(t)),
    DATABASE_URL: `sqlite:${folder}/keyturn.db`,
  })
  t.match(await keyturn('migrate', 'up'), {
    code: 1,
    stderr: /^The database stores nothing: its disk is full\. .*\n$/,
  })
})

t.test('a disk without one free byte is named by every command', { skip: mountMissing }, async (t) => {
  const folder = smallDisk(t)
  const path = join(folder, 'keyturn.db')
  const keyturn = keyturnOn({ ...(await sharedEnvironment(t)), DATABASE_URL: `sqlite:${path}` })
  t.equal((await keyturn('migrate', 'up')).code, 0)
  fill(folder)
  const full = {
    code: 1,
    stderr: `The database ${path} cannot be written: its disk is full. Make room.\n`,
  }
  for (const command of ['serve', 'keys rotate', 'sessions end --all --yes', `backup ${folder}/backup.db`])
    t.match(await keyturn(...command.split(' ')), full, command)
  t.match(await keyturn('mails', join(folder, 'mails')), {
    code: 1,
    stderr: /^The (file .* cannot be written: the disk is full\.|folder .* ENOSPC.*)\n$/,
  })
})
