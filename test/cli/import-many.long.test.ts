import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { FOREIGN_HASHES, FOREIGN_PASSWORD } from '../helpers/people/foreign-hashes.ts'
import { runCommand } from '../helpers/programs/command.ts'
import { jsonLines, startImporting } from '../helpers/programs/importing.ts'
import { register } from '../helpers/service/service.ts'

const ACCOUNTS = 100_000

t.test('a hundred thousand accounts, killed half way and begun again', async (t) => {
  const hash = FOREIGN_HASHES['Werkzeug pbkdf2:sha256']
  const records = Array.from({ length: ACCOUNTS }, (_, index) => ({
    username: `user${index}`,
    email: `user${index}@example.com`,
    password_hash: hash,
    totp_secret: 'ABCDEFGHIJKLMNOP'.repeat(2),
  }))
  const rootKey = randomBytes(32)
  const { service, keyturn, folder } = await startImporting(
    t,
    { 'users.jsonl': jsonLines(...records) },
    { rootKey, spared: ['activeFactorsHaveSpentACode'] },
  )
  const count = async (table: 'accounts' | 'totp_factors') => {
    const counted = service.db.selectFrom(table).select((eb) => eb.fn.countAll<number>().as('rows'))
    return Number((await counted.executeTakeFirstOrThrow()).rows)
  }

  const first = runCommand(t, ['src/cli/cli.ts', 'import', `${folder}/users.jsonl`, '--apply'], {
    DATABASE_URL: service.databaseUrl,
    SECRET_KEY: rootKey.toString('base64'),
  })
  while ((await count('accounts')) < 5_000) await sleep(20)
  t.ok((await register(service, 'meanwhile')).id, 'the service goes on meanwhile')
  first.signal('SIGKILL')
  await first.ended
  const survived = (await count('accounts')) - 1
  t.ok(survived >= 5_000 && survived < ACCOUNTS, `${survived} were in when it was killed`)
  t.equal(await count('totp_factors'), survived, 'each with its authenticator')

  const startedAt = performance.now()
  const report = await keyturn.json('import', `${folder}/users.jsonl`, '--apply')
  const seconds = (performance.now() - startedAt) / 1000
  t.equal(report.taken, ACCOUNTS - survived)
  t.equal(report.skipped.length, survived)
  t.equal(await count('accounts'), ACCOUNTS + 1)
  t.equal(await count('totp_factors'), ACCOUNTS)
  t.comment(`${ACCOUNTS - survived} accounts in ${seconds.toFixed(1)} s`)
  const login = await service.post('/login', { username: 'user99999', password: FOREIGN_PASSWORD })
  t.equal(login.status, 200)
})
