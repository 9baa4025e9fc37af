import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { EventName } from '../../src/audit/events.ts'
import { onPostgres } from '../helpers/database.ts'
import { FOREIGN_HASHES } from '../helpers/foreign-hashes.ts'
import { jsonLines } from '../helpers/importing.ts'
import { startOperated } from '../helpers/operated-service.ts'
import { enrol, login, PASSWORD } from '../helpers/service.ts'

/** Every command there is does its work beside a running service. */

const folder = t.testdir({
  'users.jsonl': jsonLines({ username: 'imported', password_hash: FOREIGN_HASHES['Werkzeug pbkdf2:sha256'] }),
})
const { service, keyturn, environment, tokenMailedTo } = await startOperated(t)

interface Trial {
  command: string
  more?: string[]
  input?: string
  /** 1 for what is refused while the service runs. */
  code?: number
  /** What it answers with `--json`, or says on stderr. */
  says: object | RegExp
}

/** These change nothing, and go at the same time. */
const looking: Trial[] = [
  { command: 'users list', says: [{ username: 'ada' }] },
  { command: 'users show', more: ['ada'], says: { username: 'ada', totp: true, sessions: 1 } },
  { command: 'sessions list', more: ['ada'], says: [{ acr: 'aal2' }] },
  { command: 'audit', more: ['--limit', '1'], says: { event: 'session_started', actor: 'client' } },
  { command: 'import flask', more: [`${folder}/none.db`], code: 1, says: /There is no file/ },
  { command: 'keys list', says: [{ role: 'signs' }] },
  { command: 'migrate status', says: [{ name: '0001-accounts', applied_at: /^\d{4}-/ }] },
  { command: 'migrate up', says: { direction: 'up', migrations: [] } },
  {
    command: 'copy',
    more: ['--from', environment.DATABASE_URL as string, '--to', `sqlite:${folder}/copy.db`],
    code: 1,
    says: /Stop it first/,
  },
  // The PostgreSQL of the tests is one that may forget, which the doctor does not let pass.
  {
    command: 'doctor',
    code: onPostgres ? 1 : 0,
    says: { healthy: !onPostgres, findings: [{ check: 'versions', status: 'ok' }] },
  },
  { command: 'tune', more: ['--ms', '1'], says: { settings: { ARGON2_TIME: 2 } } },
  { command: 'openapi', says: { openapi: /^3\.1/ } },
]

/** In an order that leaves the accounts to those who come later. */
const changing: (Trial & { event: EventName })[] = [
  {
    command: 'users create',
    more: ['made', '--email', 'made@example.com', '--email-verified'],
    input: PASSWORD,
    says: { username: 'made', email_verified: true },
    event: 'account_created',
  },
  { command: 'users unlock', more: ['ada'], says: { done: /can try again/ }, event: 'account_unlocked' },
  {
    command: 'users reset-password',
    more: ['made'],
    says: { done: /made@example\.com/ },
    event: 'password_reset_requested',
  },
  { command: 'users disable', more: ['made'], says: { done: /is closed/ }, event: 'account_disabled' },
  { command: 'users enable', more: ['made'], says: { done: /is open/ }, event: 'account_enabled' },
  { command: 'sessions end', more: ['ada'], says: { ended: 1 }, event: 'all_sessions_ended' },
  { command: 'users reset-2fa', more: ['ada'], says: { done: /no second factor/ }, event: 'factors_reset' },
  { command: 'users delete', more: ['made'], says: { done: /is deleted/ }, event: 'account_deleted' },
  {
    command: 'import file',
    more: [`${folder}/users.jsonl`, '--apply'],
    says: { applied: true, taken: 1 },
    event: 'account_imported',
  },
  { command: 'export', more: [`${folder}/out.jsonl`], says: { accounts: 2 }, event: 'accounts_exported' },
  { command: 'keys rotate', says: { kid: /^[\w-]{43}$/ }, event: 'signing_key_made' },
  { command: 'keys reseal', says: { 'signing keys': 0 }, event: 'secrets_resealed' },
]

/** The commands that the help tells of. */
async function commandsIn(...family: string[]): Promise<string[]> {
  const { stdout } = await keyturn(...family, '--help')
  const [list = ''] = stdout.split('\nCommands:\n')[1]?.split('\n\n') ?? []
  const names = [...list.matchAll(/^ {2}([a-z]\S*)/gm)].map(([, name]) => name as string)
  return names.filter((name) => name !== 'help').sort()
}

t.test('there is no command that is not tried here', async (t) => {
  const tried = [...looking, ...changing, { command: 'migrate down' }].map(({ command }) =>
    command.split(' '),
  )
  const families = new Set(tried.map(([name = '']) => name))
  t.strictSame(await commandsIn(), [...families].sort())
  for (const family of families) {
    const members = tried.flatMap(([name, member]) => (name === family && member ? [member] : []))
    t.strictSame(await commandsIn(family), members.sort(), family)
  }
})

async function attempt(t: Test, { command, more = [], input = '', code = 0, says }: Trial): Promise<void> {
  const ended = await keyturn.withInput(input, ...command.split(' '), ...more, '--yes', '--json')
  t.equal(ended.code, code, `keyturn ${command}: ${ended.stderr}`)
  if (says instanceof RegExp) t.match(ended, { stdout: '', stderr: says }, command)
  else t.match(JSON.parse(ended.stdout), says, command)
  t.equal((await service.get('/readyz')).status, 200, 'and the service goes on')
}

t.test('each command does its work, and what it does is in the audit trail', async (t) => {
  await enrol(service, 'ada')
  await Promise.all(looking.map((trial) => attempt(t, trial)))
  for (const trial of changing) await attempt(t, trial)
  const told = await keyturn.events('--actor', 'operator')
  t.strictSame(
    told.map(({ event }) => event),
    changing.map(({ event }) => event),
  )
  for (const { user_agent } of told) t.match(user_agent, /^keyturn \(.+\)$/)
  t.equal((await tokenMailedTo('made@example.com')).length, 43)
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
