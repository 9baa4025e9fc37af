import { randomBytes } from 'node:crypto'
import t from 'tap'
import { keyturnOn } from '../helpers/programs/keyturn.ts'
import { runStatements } from '../helpers/programs/postgres.ts'
import { notOnPostgres } from '../helpers/service/database.ts'
import { enrol, startService } from '../helpers/service/service.ts'

/** What PostgreSQL refuses a command is a sentence for the operator, and no stack trace. */

const skip = notOnPostgres

t.test('a server that takes no writes, and a role without a right, are explained', { skip }, async (t) => {
  const rootKey = randomBytes(32)
  const service = await startService(t, { rootKeys: [rootKey] })
  await enrol(service)
  const { databaseUrl } = service
  const settings = { SECRET_KEY: rootKey.toString('base64') }
  const name = new URL(databaseUrl).pathname.slice(1)

  await runStatements(databaseUrl, `alter database ${name} set default_transaction_read_only = on`)
  const standby = keyturnOn({ ...settings, DATABASE_URL: databaseUrl })
  for (const command of ['users reset-2fa ada --yes', 'keys rotate', 'sessions end --all --yes', 'export -'])
    t.match(
      await standby(...command.split(' ')),
      { code: 1, stderr: /^The database stores nothing: it takes no writes: .*standby.*\n$/ },
      command,
    )
  await runStatements(
    databaseUrl,
    'set default_transaction_read_only = off',
    `alter database ${name} reset default_transaction_read_only`,
  )

  const role = `reader_${randomBytes(4).toString('hex')}`
  await runStatements(
    databaseUrl,
    `create role ${role} login`,
    `grant select, insert, update, delete on all tables in schema public to ${role}`,
    `revoke all on passkeys from ${role}`,
  )
  t.teardown(() => runStatements(databaseUrl, `drop owned by ${role}`, `drop role ${role}`))
  const url = new URL(databaseUrl)
  url.username = role
  const restricted = keyturnOn({ ...settings, DATABASE_URL: url.href })
  const said =
    /^The database does not let its user do this: permission denied for table passkeys\. Grant .*roles\.sql\.\n$/
  for (const command of ['users list', 'users show ada', 'users reset-2fa ada --yes'])
    t.match(await restricted(...command.split(' ')), { code: 1, stderr: said }, command)
  const doctor = await restricted('doctor')
  t.equal(doctor.code, 1)
  t.match(doctor.stdout, /^fail +database +.*permission denied for table passkeys/m)
})
