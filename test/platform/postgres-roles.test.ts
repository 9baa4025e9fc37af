import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { page } from '../helpers/documents/readme.ts'
import { runCommand } from '../helpers/programs/command.ts'
import { runStatements } from '../helpers/programs/postgres.ts'
import { startProcess } from '../helpers/programs/process.ts'
import { remote } from '../helpers/programs/remote.ts'
import { newDatabase, notOnPostgres } from '../helpers/service/database.ts'
import { enrol } from '../helpers/service/service.ts'

// The role that serves can read and write rows and nothing else: what the documents say to make is enough, and no more.

const skip = notOnPostgres

const SECRET_KEY = randomBytes(32).toString('base64')

/** Does what the page on scaling says, under names of its own. @returns the database for the owner and for the service. */
async function makeRoles(t: Test): Promise<{ owner: string; service: string }> {
  const name = `keyturn_${randomBytes(4).toString('hex')}`
  const scaling = page('scaling')
  const [, block = ''] = /```sql\n(.*?)```/s.exec(scaling.slice(scaling.indexOf('**Two roles.**'))) ?? []
  const [before = '', after = ''] = block
    .replaceAll(/\bkeyturn_owner\b/g, `${name}_owner`)
    .replaceAll(/\bkeyturn\b/g, name)
    .split(/\\c .*/)
  const server = await newDatabase(t)
  const as = (user: string) => {
    const url = new URL(server)
    url.username = user
    url.pathname = `/${name}`
    return url.href
  }
  await runStatements(server, ...before.split(';').filter((statement) => statement.trim()))
  await runStatements(as('postgres'), after)
  t.teardown(() =>
    runStatements(
      server,
      `drop database ${name} with (force)`,
      `drop role ${name}`,
      `drop role ${name}_owner`,
    ),
  )
  return { owner: as(`${name}_owner`), service: as(name) }
}

t.test('one role migrates and another serves, which cannot change a table', { skip }, async (t) => {
  const { owner, service } = await makeRoles(t)
  const early = await runCommand(t, ['src/cli/keyturn.js', 'serve'], { DATABASE_URL: service, SECRET_KEY })
    .ended
  t.match(early, { code: 1, stderr: /has to be migrated, and its user may not do that .*keyturn migrate up/ })

  const up = ['src/cli/cli.ts', 'migrate', 'up'] as [string, ...string[]]
  t.equal((await runCommand(t, up, { DATABASE_URL: owner, SECRET_KEY }).ended).code, 0)

  const { url } = await startProcess(t, { DATABASE_URL: service, SECRET_KEY })
  t.ok((await enrol(remote(url))).accessToken, 'it serves')
  const again = await runCommand(t, up, { DATABASE_URL: service, SECRET_KEY }).ended
  t.match(again, { code: 0, stdout: 'Nothing to do.\n' }, 'and has nothing to migrate')
  for (const statement of ['create table x (y text)', 'drop table outbox', 'alter table accounts add x text'])
    await t.rejects(runStatements(service, statement), { code: '42501' }, statement)
})
