import { readFileSync, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import t from 'tap'
import { runImport } from '../../src/cli/import/run-import.ts'
import { FOREIGN_HASHES, FOREIGN_PASSWORD } from '../helpers/people/foreign-hashes.ts'
import { jsonLines, startImporting, usernames } from '../helpers/programs/importing.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { PASSWORD, register, type Service, startService } from '../helpers/service/service.ts'

/** Accounts that an operator makes or imports with the option owe the code that the operator gets. */

const HASH = FOREIGN_HASHES['Werkzeug pbkdf2:sha256'] ?? ''
const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
const CODE = /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}/

/** What the first setup of an authenticator says, without the code and with it. */
async function setUps(service: Service, username: string, password: string, code: string): Promise<string[]> {
  const { body } = await service.post('/login', { username, password })
  const setUp = async (given?: object) => outcomeOf(await service.post('/2fa/setup', given, body.mfa_token))
  return [await setUp(), await setUp({ enrolment_code: code })]
}

const NEEDED = ['403 enrolment_code_required', '200']

t.test('users create --enrolment-code shows the code, in text and in JSON', async (t) => {
  const { service, keyturn } = await startImporting(t)
  const create = (...args: string[]) => keyturn.withInput(PASSWORD, 'users', 'create', ...args)

  const text = await create('ada', '--enrolment-code')
  t.equal(text.code, 0, text.stderr)
  const [code = ''] = CODE.exec(text.stdout) ?? []
  t.strictSame(await setUps(service, 'ada', PASSWORD, code), NEEDED)

  const json = JSON.parse((await create('grace', '--enrolment-code', '--json')).stdout)
  t.strictSame(await setUps(service, 'grace', PASSWORD, json.enrolment_code), NEEDED)

  const without = JSON.parse((await create('joan', '--json')).stdout)
  t.notOk('enrolment_code' in without)
  t.strictSame(await setUps(service, 'joan', PASSWORD, ''), ['200', '400 validation_failed'])
})

t.test('import --enrolment-codes writes a code for each account without an authenticator', async (t) => {
  const { service, keyturn, folder } = await startImporting(t, {
    'users.jsonl': jsonLines(
      { username: 'ada', password_hash: HASH, totp_secret: SECRET },
      { username: 'grace', password_hash: HASH },
      { username: 'joan', password_hash: HASH },
    ),
    'theirs.csv': 'of another import\n',
  })
  const [users, codes, theirs] = [`${folder}/users.jsonl`, `${folder}/codes.csv`, `${folder}/theirs.csv`]
  t.match(await keyturn('import', users, '--enrolment-codes', codes), { code: 2, stderr: /needs --apply/ })
  t.match(await keyturn('import', users, '--apply', '--enrolment-codes', theirs), { code: 1, stdout: '' })
  t.equal(readFileSync(theirs, 'utf8'), 'of another import\n')
  t.strictSame(await usernames(service), [], 'nothing was taken')

  t.match(await keyturn('import', users, '--apply', '--enrolment-codes', codes), {
    code: 0,
    stderr: /^Database: .*\n$/,
  })
  t.equal(statSync(codes).mode & 0o777, 0o600)
  const [header, ...lines] = readFileSync(codes, 'utf8').trimEnd().split('\n')
  t.equal(header, 'username,enrolment_code')
  const given = lines.map((line) => line.split(','))
  t.strictSame(given.map(([username]) => username).sort(), ['grace', 'joan'])
  for (const [username = '', code = ''] of given)
    t.strictSame(await setUps(service, username, FOREIGN_PASSWORD, code), NEEDED, username)
  t.notOk(
    (await service.post('/login', { username: 'ada', password: FOREIGN_PASSWORD })).body
      .enrolment_code_required,
  )
})

const recordsOf = (names: readonly string[]) =>
  Readable.from(names.map((username) => ({ place: username, values: { username, password_hash: HASH } })))

t.test('no account goes in whose enrolment code could not be written down', async (t) => {
  const service = await startService(t)
  const handed: string[] = []
  const hand = async (codes: readonly { username: string }[]) => {
    if (handed.length > 0) throw new Error('the disk is full')
    t.strictSame(await usernames(service), [], 'the codes come first')
    handed.push(...codes.map(({ username }) => username))
  }
  const names = Array.from({ length: 501 }, (_, index) => `user${index}`)
  await t.rejects(runImport(service.deps, recordsOf(names), { apply: true, skipRefused: false, hand }), {
    message: /^Stopped after 500 of 501 accounts: the disk is full\..* another file for the codes\.$/,
  })
  t.strictSame(await usernames(service), handed.toSorted())
  t.equal(handed.length, 500)
})

t.test('an account that was registered while its code was written down owes none', async (t) => {
  const service = await startService(t)
  const hand = async () => {
    await register(service, 'grace')
  }
  const report = await runImport(service.deps, recordsOf(['ada', 'grace']), {
    ...{ apply: true, skipRefused: false, hand },
  })
  t.match(report, { taken: 1, skipped: [{ username: 'grace' }] })
  const { body } = await service.post('/login', { username: 'grace', password: PASSWORD })
  t.notOk(body.enrolment_code_required)
})

t.test('an enrolment code that is owed is owed after an export and an import', async (t) => {
  const from = await startImporting(t)
  for (const args of [['ada', '--enrolment-code'], ['grace']])
    await from.keyturn.withInput(PASSWORD, 'users', 'create', ...args)
  const accounts = `${from.folder}/accounts.jsonl`
  t.match(await from.keyturn('export', accounts, '--with-password-hashes'), { code: 0 })
  const exported = readFileSync(accounts, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.strictSame(
    exported.map(({ username, enrolment_code_required: required }) => [username, required]),
    [
      ['ada', true],
      ['grace', undefined],
    ],
  )

  await t.test('without --enrolment-codes the account stays shut until the operator makes one', async (t) => {
    const { service, keyturn } = await startImporting(t)
    const imported = await keyturn('import', accounts, '--apply')
    t.match(imported, { code: 0, stdout: /^need a code +1 .*users reset-2fa/m })
    const logIn = (username: string) => service.post('/login', { username, password: PASSWORD })
    t.equal((await logIn('ada')).body.enrolment_code_required, true)
    t.strictSame(await setUps(service, 'ada', PASSWORD, 'AAAA-AAAA-AAAA-AAAA'), [
      NEEDED[0],
      '422 invalid_code',
    ])
    t.notOk((await logIn('grace')).body.enrolment_code_required)
    const reset = await keyturn.json('users', 'reset-2fa', 'ada', '--yes')
    t.strictSame(await setUps(service, 'ada', PASSWORD, reset.enrolment_code), NEEDED)
  })

  await t.test('with it the owner gets a new one', async (t) => {
    const { service, keyturn, folder } = await startImporting(t)
    const codes = `${folder}/codes.csv`
    t.match(await keyturn.json('import', accounts, '--apply', '--enrolment-codes', codes), {
      enrolment_codes: 2,
    })
    const [, code = ''] = /^ada,(.+)$/m.exec(readFileSync(codes, 'utf8')) ?? []
    t.strictSame(await setUps(service, 'ada', PASSWORD, code), NEEDED)
  })
})

t.test('an account that comes with an authenticator can owe no enrolment code', async (t) => {
  const { keyturn, folder } = await startImporting(t, {
    'users.jsonl': jsonLines({
      ...{ username: 'ada', password_hash: HASH, totp_secret: SECRET, enrolment_code_required: true },
    }),
  })
  t.match(await keyturn('import', `${folder}/users.jsonl`, '--apply'), {
    code: 1,
    stdout: /ada: enrolment_code_required: it comes with a factor/,
  })
})
