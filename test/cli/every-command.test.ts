import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import t, { type Test } from 'tap'
import type { EventName } from '../../src/audit/events.ts'
import { registerCommands } from '../../src/cli/command-line.ts'
import { placeOf } from '../../src/platform/database.ts'
import { VERSION } from '../../src/version.ts'
import { FOREIGN_HASHES } from '../helpers/people/foreign-hashes.ts'
import { jsonLines } from '../helpers/programs/importing.ts'
import { startOperated } from '../helpers/programs/operated-service.ts'
import { onPostgres } from '../helpers/service/database.ts'
import { enrol, login, PASSWORD } from '../helpers/service/service.ts'

/** Every command there is does its work beside a running service. */

const folder = t.testdir({
  'users.jsonl': jsonLines({ username: 'imported', password_hash: FOREIGN_HASHES['Werkzeug pbkdf2:sha256'] }),
})
const { service, keyturn, environment, tokenMailedTo } = await startOperated(t)

await keyturn('clients', 'create', 'looked-at')

interface Trial {
  command: string
  more?: string[]
  input?: string
  /** 1 for what is refused while the service runs. */
  code?: number
  /** What it answers with `--json`, or says on stderr. */
  says: object | RegExp
}

/** These change nothing. */
const looking: Trial[] = [
  { command: 'users list', says: [{ username: 'ada' }] },
  { command: 'users show', more: ['ada'], says: { username: 'ada', totp: true, sessions: 1 } },
  { command: 'users paused', says: [] },
  { command: 'sessions list', more: ['ada'], says: [{ acr: 'aal2' }] },
  { command: 'clients list', says: [{ id: /^service_/, name: 'looked-at', scopes: [] }] },
  {
    command: 'clients show',
    more: ['looked-at'],
    says: { name: 'looked-at', secrets: [{ last_used_at: null }] },
  },
  { command: 'audit', more: ['--limit', '1'], says: { event: 'session_started', actor: 'client' } },
  { command: 'import flask', more: [`${folder}/none.db`], code: 1, says: /There is no file/ },
  { command: 'keys list', says: [{ role: 'signs' }] },
  {
    command: 'keys status',
    says: {
      keys: [{ held: true, seals: true, values: { 'hash keys': 1 } }],
      replicas: [{ version: VERSION }],
    },
  },
  { command: 'keys forget-lost', code: 1, says: /has the database open. Stop it first/ },
  { command: 'migrate status', says: [{ name: '0001-accounts', applied_at: /^\d{4}-/ }] },
  { command: 'migrate up', says: { direction: 'up', migrations: [] } },
  {
    command: 'copy',
    more: ['--from', environment.DATABASE_URL as string, '--to', `sqlite:${folder}/copy.db`],
    code: 1,
    says: /Stop it first/,
  },
  onPostgres
    ? { command: 'backup', more: [`${folder}/backup.db`], code: 1, says: /pg_dump --format=custom/ }
    : {
        command: 'backup',
        more: [`${folder}/backup.db`],
        says: { as_of: /^2\d{3}-/, secret_key_file: null },
      },
  {
    command: 'restore',
    more: [fileURLToPath(import.meta.url)],
    code: 1,
    says: onPostgres ? /pg_restore --single-transaction/ : /has the database open. Stop it first/,
  },
  // The PostgreSQL of the tests is one that may forget, which the doctor does not let pass.
  {
    command: 'doctor',
    code: onPostgres ? 1 : 0,
    says: { healthy: !onPostgres, findings: [{ check: 'versions', status: 'ok' }] },
  },
  { command: 'tune', more: ['--ms', '1'], says: { settings: { ARGON2_TIME: 2 } } },
  { command: 'mails', more: [`${folder}/mails`], says: { folder: `${folder}/mails`, written: /^\d+$/ } },
  { command: 'openapi', says: { openapi: /^3\.1/ } },
]

/** The name of the key that signs. */
async function signer(): Promise<string> {
  return (await keyturn.json('keys', 'list'))[0].kid
}

/** In an order that leaves the accounts to those who come later. */
const changing: (Trial & { event: EventName })[] = [
  {
    command: 'users create',
    more: ['made', '--email', 'made@example.com', '--email-verified'],
    input: PASSWORD,
    says: { username: 'made', email_verified: true },
    event: 'account_created',
  },
  {
    command: 'users set-roles',
    more: ['ada', 'editor'],
    says: { username: 'ada', roles: ['editor'] },
    event: 'roles_set',
  },
  {
    command: 'users rename',
    more: ['made', 'renamed'],
    says: { username: 'renamed', was: 'made' },
    event: 'account_renamed',
  },
  {
    command: 'users set-email',
    more: ['renamed', 'renamed@example.com'],
    says: { email: 'renamed@example.com', was: 'made@example.com' },
    event: 'email_changed',
  },
  { command: 'users unlock', more: ['ada'], says: { done: /can try again/ }, event: 'account_unlocked' },
  {
    command: 'users reset-password',
    more: ['renamed'],
    says: { done: /renamed@example\.com/ },
    event: 'password_reset_requested',
  },
  { command: 'users disable', more: ['renamed'], says: { done: /is disabled/ }, event: 'account_disabled' },
  { command: 'users enable', more: ['renamed'], says: { done: /is enabled/ }, event: 'account_enabled' },
  { command: 'sessions end', more: ['ada'], says: { ended: 1 }, event: 'all_sessions_ended' },
  {
    command: 'users reset-2fa',
    more: ['ada'],
    says: { enrolment_code: /^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/ },
    event: 'factors_reset',
  },
  {
    command: 'users export',
    more: ['ada'],
    says: { accounts: [{ username: 'ada' }], sessions: [{ acr: 'aal2' }] },
    event: 'account_exported',
  },
  {
    command: 'clients create',
    more: ['orders', '--scope', 'introspect'],
    says: { name: 'orders', client_secret: /^keyturn_/, scopes: ['introspect'] },
    event: 'client_created',
  },
  {
    command: 'clients rotate',
    more: ['orders'],
    says: { client_secret: /^keyturn_/ },
    event: 'client_secret_rotated',
  },
  { command: 'clients disable', more: ['orders'], says: { done: /is disabled/ }, event: 'client_disabled' },
  { command: 'clients enable', more: ['orders'], says: { done: /is enabled/ }, event: 'client_enabled' },
  { command: 'clients delete', more: ['orders'], says: { done: /is deleted/ }, event: 'client_deleted' },
  { command: 'users delete', more: ['renamed'], says: { done: /is deleted/ }, event: 'account_deleted' },
  {
    command: 'import file',
    more: [`${folder}/users.jsonl`, '--apply'],
    says: { applied: true, taken: 1 },
    event: 'account_imported',
  },
  { command: 'export', more: [`${folder}/out.jsonl`], says: { accounts: 2 }, event: 'accounts_exported' },
  {
    command: 'keys revoke',
    more: [await signer()],
    says: { kid: /^[\w-]{43}$/ },
    event: 'signing_key_revoked',
  },
  { command: 'keys rotate', says: { kid: /^[\w-]{43}$/ }, event: 'signing_key_made' },
  { command: 'keys reseal', says: { 'signing keys': 0 }, event: 'secrets_resealed' },
]

const namesOf = ({ commands }: Command) => commands.map((command) => command.name()).sort()

t.test('there is no command that is not tried here', async (t) => {
  const program = new Command()
  registerCommands(program)
  // Those that start a service, write its settings or compile have tests of their own: start, init, build-hash.
  const others = ['migrate down', 'serve', 'init', 'build-hash'].map((command) => ({ command }))
  const tried = [...looking, ...changing, ...others].map(({ command }) => command.split(' '))
  t.strictSame(namesOf(program), [...new Set(tried.map(([name = '']) => name))].sort())
  for (const family of program.commands) {
    const members = tried.flatMap(([name, member]) => (name === family.name() && member ? [member] : []))
    t.strictSame(namesOf(family), members.sort(), family.name())
  }
})

/** A command that has written says where: many an operator has two databases. */
const namesDatabase = (trial: Trial) => 'event' in trial || trial.command === 'migrate up'

async function attempt(t: Test, trial: Trial): Promise<void> {
  const { command, more = [], input = '', code = 0, says } = trial
  const ended = await keyturn.withInput(input, ...command.split(' '), ...more, '--yes', '--json')
  t.equal(ended.code, code, `keyturn ${command}: ${ended.stderr}`)
  if (says instanceof RegExp) t.match(ended, { stdout: '', stderr: says }, command)
  else t.match(JSON.parse(ended.stdout), says, command)
  const named = ended.stderr === `Database: ${placeOf(environment.DATABASE_URL as string)}\n`
  t.equal(named, namesDatabase(trial), `keyturn ${command}: ${ended.stderr}`)
  t.equal((await service.get('/readyz')).status, 200, 'and the service goes on')
}

t.test('each command does its work, and what it does is in the audit trail', async (t) => {
  await enrol(service, 'ada')
  for (const trial of [...looking, ...changing]) await attempt(t, trial)
  const told = await keyturn.events('--actor', 'operator')
  t.strictSame(
    told.map(({ event }) => event),
    ['client_created', ...changing.map(({ event }) => event)],
  )
  for (const { user_agent } of told) t.match(user_agent, /^keyturn \(.+\)$/)
  t.equal((await tokenMailedTo('renamed@example.com')).length, 43)
})

t.test('the name of a database has neither user nor password in it', async (t) => {
  const url = 'postgres://owner:s3cret@db.example.com/keyturn?sslmode=verify-full'
  t.equal(placeOf(url), 'db.example.com/keyturn')
})

t.test('the last migration can be taken back and done again meanwhile', async (t) => {
  t.match(await keyturn('migrate', 'down', '--yes'), { code: 0, stdout: /^down: \S+\n$/ })
  t.match(await keyturn('migrate', 'up'), { code: 0, stdout: /^up: \S+\n$/ })
  t.ok(await login(service, 'ada'))
})

t.test('openapi prints the document that is kept with the sources, with no setting at all', async (t) => {
  const documents = ['openapi.json', 'openapi.yaml'].map((name) =>
    readFileSync(new URL(`../../openapi/${name}`, import.meta.url), 'utf8'),
  )
  const printed = await Promise.all([keyturn('openapi'), keyturn('openapi', '--yaml')])
  t.strictSame(
    printed.map(({ stdout }) => stdout),
    documents,
  )
  const { paths } = (await service.get('/openapi.json')).body
  t.strictSame(
    Object.keys(JSON.parse(documents[0] as string).paths),
    Object.keys(paths),
    'as the service has it',
  )
})
