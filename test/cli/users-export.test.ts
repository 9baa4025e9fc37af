import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { sql } from 'kysely'
import t from 'tap'
import { exportPerson } from '../../src/cli/export-person.ts'
import { tables } from '../../src/tables.ts'
import { enrolWithCodes, type MailingService, mailedToken, setEmail } from '../helpers/people/mail.ts'
import { addPasskey, newPasskey } from '../helpers/people/passkeys.ts'
import { accountTokenFor, signIn } from '../helpers/people/sessions.ts'
import { startImporting } from '../helpers/programs/importing.ts'
import { keyturnOn } from '../helpers/programs/keyturn.ts'
import { tablesOf } from '../helpers/service/database.ts'
import { enrol, login, startService, wrongCode } from '../helpers/service/service.ts'

/** A person asks what is kept about them: everything is handed over, and no secret with it. */

type Row = Record<string, unknown>

/** By their names, and not by what the tables say of them. */
const IS_SECRET = /_hash$|^sealed_/

/** Tables that hold nothing of a person, or hold it sealed. */
const OTHERS = [
  'client_secrets',
  'hash_keys',
  'outbox',
  'replicas',
  'secret_keys',
  'service_clients',
  'signing_keys',
]

async function allRows({ db }: MailingService): Promise<Record<string, Row[]>> {
  const all: Record<string, Row[]> = {}
  for (const name of await tablesOf(db))
    all[name] = (await sql<Row>`select * from ${sql.table(name)}`.execute(db)).rows
  return all
}

/** Everything that can be kept about an account, or is on its way. */
async function liveALife(service: MailingService) {
  const ada = await enrolWithCodes(service)
  await signIn(service, ada)
  await mailedToken(service)
  service.clock.advance(60)
  await service.post('/2fa/setup', undefined, await accountTokenFor(service, ada.accessToken))
  await service.post('/2fa/recovery-codes', undefined, await accountTokenFor(service, ada.accessToken))
  await addPasskey(service, newPasskey(), await accountTokenFor(service, ada.accessToken))
  await setEmail(service, ada.accessToken, 'new@example.com')
  await service.post('/login', { username: 'ada', password: 'not this one' }, undefined, {
    remoteAddress: '203.0.113.77',
  })
  const mfaToken = await login(service)
  await service.post('/2fa/email', undefined, mfaToken)
  await service.post('/2fa/verify', { code: wrongCode(service, ada) }, mfaToken)
  await service.post('/token/refresh', { refresh_token: ada.refreshToken }, undefined, {
    headers: { 'idempotency-key': crypto.randomUUID() },
  })
  await service.post('/password/forgot', { username: 'ADA' })
  const account = await service.deps.accounts.byId(ada.id)
  if (!account) throw new Error('there is no account')
  return account
}

t.test('each table says whose rows it has, or has none of a person', async (t) => {
  const service = await startService(t, { mail: true })
  t.strictSame(
    (await tablesOf(service.db)).sort(),
    [...tables.filter(({ person }) => person).map(({ name }) => name), ...OTHERS].sort(),
  )
})

t.test('every row that a life has left is in the export, and no secret or hash of one', async (t) => {
  const service = await startService(t, { mail: true })
  await enrol(service, 'grace')
  const before = await allRows(service)
  const account = await liveALife(service)
  const after = await allRows(service)
  const exported: Record<string, Row[]> = JSON.parse(
    JSON.stringify(await exportPerson(service.deps, account)),
  )

  const text = JSON.stringify(exported)
  for (const { name, person } of tables) {
    const known = (before[name] ?? []).map((row) => JSON.stringify(row))
    const left = (after[name] ?? []).filter((row) => !known.includes(JSON.stringify(row)))
    if (!person) continue
    t.ok(left.length > 0 || name === 'enrolment_codes', `the life has left rows in ${name}`)
    t.equal(exported[name]?.length, left.length, name)
    for (const row of left)
      for (const [column, value] of Object.entries(row))
        if (IS_SECRET.test(column))
          t.notOk(value !== null && text.includes(String(value)), `${column} of ${name} stays here`)
        else if (!person.hashed || column !== person.column)
          t.ok(
            exported[name]?.some((each) => column in each),
            `${column} of ${name}`,
          )
  }
  t.equal(exported.outbox?.length, after.outbox?.length)
  t.match(exported, {
    exported_at: new Date(service.clock.now()).toISOString(),
    accounts: [
      { id: account.id, username: 'ada', email: 'ada@example.com', email_verified_at: /^2026-11-21T/ },
    ],
    email_changes: [{ address: 'new@example.com' }],
  })
  const waiting = exported.outbox?.map(({ about }) => about)
  t.ok(waiting?.includes('reset of the password, asked for from 127.0.0.1'))
  const subjects = exported.failure_counters?.map(({ subject }) => subject)
  for (const subject of ['account', 'username', 'username from 203.0.113.0/24'])
    t.ok(subjects?.includes(subject), subject)
  t.notMatch(text, 'grace')
})

t.test(
  'an account whose name is another one’s in lower case, or which has nothing, is exported as it is',
  async (t) => {
    const service = await startService(t, { mail: true })
    const ada = await enrol(service)
    const grace = await enrol(service, 'grace')
    const account = await service.deps.accounts.byId(grace.id)
    const exported = await exportPerson(service.deps, account as NonNullable<typeof account>)
    t.match(exported, { accounts: [{ username: 'grace' }], email_changes: [], outbox: [] })
    t.notMatch(JSON.stringify(exported), ada.id)
  },
)

t.test('keyturn users export: to stdout, or a file that its owner alone can read', async (t) => {
  const { folder, keyturn, service } = await startImporting(t)
  const { id } = await enrol(service)
  const shown = await keyturn('users', 'export', 'ada')
  t.equal(shown.code, 0, shown.stderr)
  const { audit_events } = JSON.parse(shown.stdout)
  t.match(
    audit_events.at(-1),
    { event: 'account_exported', actor: 'operator', user_agent: '' },
    'no operator is named',
  )

  const file = `${folder}/ada.json`
  t.match(await keyturn('users', 'export', id, file), {
    code: 0,
    stdout: `What is kept about ada is in ${file}.\n`,
  })
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.equal(JSON.parse(readFileSync(file, 'utf8')).accounts[0].id, id)
  t.match(await keyturn('users', 'export', 'ada', file), { code: 1, stderr: /is there already/ })
  t.match(await keyturn('users', 'export', 'nobody'), {
    code: 1,
    stdout: '',
    stderr: 'There is no account "nobody".\n',
  })
})

t.test('an export of which nothing came is not in the audit trail', async (t) => {
  const { folder, keyturn, service } = await startImporting(t)
  await enrol(service)
  const none = { code: 1, stdout: '', stderr: `There is no folder ${folder}/none.\n` }
  t.match(await keyturn('users', 'export', 'ada', `${folder}/none/x`), none)
  t.match(await keyturn('export', `${folder}/none/x`), none)

  const SECRET_KEY = randomBytes(32).toString('base64')
  const withOtherKey = keyturnOn({ DATABASE_URL: service.databaseUrl, SECRET_KEY })
  for (const file of [`${folder}/secrets.jsonl`, '-'])
    t.match(await withOtherKey('export', file, '--with-totp-secrets'), {
      code: 1,
      stdout: '',
      stderr: /SECRET_KEY is not the key/,
    })
  t.notOk(existsSync(`${folder}/secrets.jsonl`))
  t.strictSame(await keyturn.events('--actor', 'operator'), [])

  t.match(await keyturn('export', `${folder}/accounts.jsonl`, '--with-totp-secrets'), { code: 0 })
  t.match(await keyturn.events('--actor', 'operator'), [{ event: 'accounts_exported', method: 'totp' }])
})

t.test('an export of no accounts is in the audit trail', async (t) => {
  const { keyturn } = await startImporting(t)
  t.match(await keyturn('export', '-'), { code: 0, stdout: '' })
  t.match(await keyturn.events(), [{ event: 'accounts_exported', actor: 'operator' }])
})
