// The attack: a person who knows the password of an account that has no factor yet is there before its owner. An
// account gets its first factor from the password alone, unless it owes an enrolment code.
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import { operatorCaller } from '../../src/cli/operator.ts'
import { resetFactors } from '../../src/factors/reset.ts'
import { enrolWithAddress, giveAddress } from '../helpers/people/mail.ts'
import { Person } from '../helpers/people/person.ts'
import { Thief } from '../helpers/people/thief.ts'
import { startImporting } from '../helpers/programs/importing.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { enrol, PASSWORD, type Service, startService } from '../helpers/service/service.ts'

/** What a person with the password can do: set up an authenticator as the first factor of the account. */
async function comesFirst(service: Service): Promise<string> {
  const thief = new Person(service)
  await thief.logIn()
  const setUp = await thief.setUp()
  return setUp.status === 200 ? outcomeOf(await thief.verify()) : outcomeOf(setUp)
}

t.test('an account without a factor belongs to whoever sets one up first, by its password', async (t) => {
  const service = await startService(t)
  const owner = new Person(service)
  await owner.register()
  t.equal(await comesFirst(service), '200')
  t.equal(outcomeOf(await owner.setUp()), '409 already_enrolled', 'with the token of the registration')
  t.match((await owner.logIn()).body, { mfa_required: true, enrolled: true })
  t.equal(outcomeOf(await owner.setUp()), '409 already_enrolled')
})

t.test('an account that was moved without its authenticator is open to its password', async (t) => {
  const from = await startImporting(t)
  await enrol(from.service)
  const file = `${from.folder}/accounts.jsonl`
  t.equal((await from.keyturn('export', file, '--with-password-hashes')).code, 0)
  const accounts = { 'accounts.jsonl': readFileSync(file, 'utf8') }

  for (const [options, outcome] of [
    [[], '200'],
    [['--enrolment-codes', 'codes.csv'], '403 enrolment_code_required'],
  ] as const) {
    const { service, keyturn, folder } = await startImporting(t, accounts)
    const paths = options.map((option) => option.replace('codes.csv', `${folder}/codes.csv`))
    await keyturn('import', `${folder}/accounts.jsonl`, '--apply', ...paths)
    t.match((await service.post('/login', { username: 'ada', password: PASSWORD })).body, { enrolled: false })
    t.equal(await comesFirst(service), outcome)
  }
})

t.test('without a factor, whoever reads the proven mailbox gets in, unless a code is owed', async (t) => {
  const service = await startService(t, { mail: true, environment: { MFA_POLICY: 'optional' } })
  const mailbox = 'ada@example.com'
  const owner = new Person(service)
  await owner.register()
  await giveAddress(service, owner.accessToken, mailbox)
  t.ok(await new Thief(service, 'ada', { mailbox }).goesOn())

  await enrolWithAddress(service, 'grace')
  const grace = (await service.deps.accounts.byUsername('grace')) as Account
  await resetFactors(service.deps, grace, operatorCaller())
  const thief = new Thief(service, 'grace', { mailbox: 'grace@example.com' })
  t.ok(await thief.resets(), 'a password comes by mail')
  t.notOk(await thief.goesOn(), 'and opens nothing')
})
