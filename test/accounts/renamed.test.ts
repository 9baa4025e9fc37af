import t from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import { renameAccount } from '../../src/accounts/rename.ts'
import { setEmail } from '../../src/accounts/set-email.ts'
import { exportPerson } from '../../src/cli/export-person.ts'
import { operatorCaller } from '../../src/cli/operator.ts'
import { resetFactors } from '../../src/factors/reset.ts'
import { deliver, enrolWithAddress, latestCode, mailedToken, notices } from '../helpers/people/mail.ts'
import { accountTokenFor, at, claimsOf, refresh, signIn } from '../helpers/people/sessions.ts'
import { startImporting } from '../helpers/programs/importing.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { enrol, login, PASSWORD, register, type Service, startService } from '../helpers/service/service.ts'

/** An operator corrects the name or the address of an account. */

t.test('a renamed account signs in by its new name alone, and its sessions go on', async (t) => {
  const { service, keyturn } = await startImporting(t)
  const before = await enrol(service)
  t.match(await keyturn.json('users', 'rename', 'ada', 'Lovelace'), { username: 'Lovelace', was: 'ada' })
  isProblem(t, await service.post('/login', { username: 'ada', password: PASSWORD }), 'invalid_credentials')
  t.equal((await service.post('/login', { username: 'lovelace', password: PASSWORD })).status, 200)
  t.equal((await service.get('/me', before.accessToken)).body.username, 'Lovelace')
  const { body } = await refresh(service, before.refreshToken)
  t.equal(claimsOf(body.access_token).username, 'Lovelace')
  await keyturn.json('users', 'rename', 'Lovelace', 'Lovelace')
  t.match(await keyturn.events('--event', 'account_renamed'), [
    { username: 'Lovelace', actor: 'operator', method: 'ada -> Lovelace' },
  ])
})

t.test('a name that another account has, or that is none, is refused in a sentence', async (t) => {
  const { service, keyturn } = await startImporting(t)
  await register(service)
  await register(service, 'grace')
  t.match(await keyturn('users', 'rename', 'ada', 'GRACE'), {
    code: 1,
    stderr: /this username is taken/i,
  })
  t.match(await keyturn('users', 'rename', 'ada', 'a b'), { code: 2, stderr: /^A username has 3 to 64/ })
  t.match(await keyturn('users', 'rename', 'unknown', 'lovelace'), { code: 1, stderr: /There is no account/ })
  t.match(
    await keyturn.json('users', 'rename', 'ada', 'ADA'),
    { username: 'ADA' },
    'another case is no other name',
  )
})

const accountOf = async ({ deps }: Service, username: string) =>
  (await deps.accounts.byUsername(username)) as Account

t.test('of many who take a name at once, also by registering, one gets it', async (t) => {
  const service = await startService(t)
  const names = ['ada', 'grace', 'joan', 'mary']
  for (const name of names) await register(service, name)
  const accounts = await Promise.all(names.map((name) => accountOf(service, name)))
  const registered = service.post('/register', { username: 'wanted', password: PASSWORD })
  const renamed = await Promise.allSettled(
    accounts.map((account) => renameAccount(service.deps, account, 'Wanted', operatorCaller())),
  )
  const refused = renamed.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
  t.equal(refused.length, (await registered).status === 201 ? names.length : names.length - 1)
  for (const reason of refused) t.match(reason, { code: 'username_taken' })
})

t.test('who takes the old name is at home nowhere', async (t) => {
  const { service, keyturn } = await startImporting(t)
  await enrol(at(service, '192.0.2.7') as Service)
  const networks = () => service.db.selectFrom('own_networks').selectAll().execute()
  t.equal((await networks()).length, 1)
  await keyturn.json('users', 'rename', 'ada', 'lovelace')
  t.strictSame(await networks(), [])
})

t.test('an address that an operator has set is proven', async (t) => {
  const { service, keyturn } = await startImporting(t)
  const before = await enrol(service)
  const set = (address: string, ...more: string[]) => keyturn('users', 'set-email', 'ada', address, ...more)
  t.match(await set('ada@example.org'), { code: 2, stderr: /end all sessions\? Without a terminal/ })
  t.match(await set('ada@@example.org', '--yes'), { code: 2, stderr: /No mail can be sent to/ })
  t.match(await set('ada@example.org', '--yes'), {
    code: 0,
    stdout: /The address of ada is now ada@example\.org/,
  })
  isProblem(t, await service.get('/me', before.accessToken), 'invalid_token')
  t.match(await keyturn.json('users', 'show', 'ada'), { email: 'ada@example.org', email_verified: true })
  t.match(await keyturn.events('--event', 'email_changed'), [{ username: 'ada', actor: 'operator' }])
})

t.test('it ends what the old mailbox could open, and both mailboxes are told', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  const resetToken = await mailedToken(service)
  const { accessToken } = await signIn(service, ada)
  await service.put('/me/email', { email: 'thief@example.com' }, await accountTokenFor(service, accessToken))
  const code = latestCode(service.smtp)
  await deliver(service)
  await setEmail(service.deps, await accountOf(service, 'ada'), 'ada@example.org', operatorCaller())
  t.strictSame(notices(await deliver(service)).sort(), [
    'your address was changed → ada@example.com',
    'your address was changed → ada@example.org',
  ])
  const reset = { token: resetToken, new_password: 'staple in a haystack' }
  isProblem(t, await service.post('/password/reset', reset), 'invalid_token')
  const { accessToken: next } = await signIn(service, ada)
  isProblem(t, await service.post('/me/email/verify', { code }, next), 'invalid_code')
  t.equal((await service.get('/me', next)).body.email, 'ada@example.org')
})

t.test('an enrolment code that was mailed to the old address is void', async (t) => {
  const service = await startService(t)
  await register(service)
  const account = await accountOf(service, 'ada')
  const code = await resetFactors(service.deps, account, operatorCaller(), async () => {})
  await setEmail(service.deps, account, 'ada@example.org', operatorCaller())
  const setup = await service.post('/2fa/setup', { enrolment_code: code }, await login(service))
  isProblem(t, setup, 'invalid_code')
})

t.test('an account that was deleted while the operator was asked is said to be gone', async (t) => {
  const { service } = await startImporting(t)
  await register(service)
  const account = await accountOf(service, 'ada')
  await service.db.deleteFrom('accounts').execute()
  t.notOk(await renameAccount(service.deps, account, 'lovelace', operatorCaller()))
  t.notOk(await setEmail(service.deps, account, 'ada@example.org', operatorCaller()))
})

t.test(
  'wrong passwords under the old name are in the export, until another account has that name',
  async (t) => {
    const service = await startService(t)
    const { id } = await enrol(service)
    await service.post('/login', { username: 'ada', password: 'not her password' })
    const present = async () => (await service.deps.accounts.byId(id)) as Account
    const counted = async () => {
      const { failure_counters } = await exportPerson(service.deps, await present())
      return (failure_counters as { subject: string }[]).map(({ subject }) => subject).sort()
    }
    const before = await counted()
    t.match(before.join(), /username from 127\.0\.0\.0/)
    await renameAccount(service.deps, await present(), 'lovelace', operatorCaller())
    t.strictSame(
      await counted(),
      before.map((subject) => subject.replace('username', 'former username')),
    )
    await register(service)
    t.strictSame(await counted(), [])
  },
)
