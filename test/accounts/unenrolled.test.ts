import t from 'tap'
import { closeAccount, openAccount } from '../../src/accounts/close-account.ts'
import { createAccount } from '../../src/accounts/create-account.ts'
import { importAccounts } from '../../src/accounts/import-accounts.ts'
import { checkAccounts } from '../../src/cli/doctor/contents.ts'
import { operatorCaller } from '../../src/cli/operator.ts'
import { resetFactors } from '../../src/factors/reset.ts'
import { unlock } from '../../src/sign-in/unlock.ts'
import { cleanUp } from '../../src/upkeep/clean-up.ts'
import { isAlive } from '../helpers/people/sessions.ts'
import { greatestSteps } from '../helpers/service/many-rows.ts'
import { enrol, PASSWORD, register, type Service, startService } from '../helpers/service/service.ts'

/** A name that a stranger took and never used is free again; what an operator has touched stays. */

const DAY = 24 * 3600

async function names({ db }: Service): Promise<string[]> {
  const rows = await db.selectFrom('accounts').select('username').orderBy('username_key').execute()
  return rows.map(({ username }) => username)
}

const accountOf = async ({ deps }: Service, username: string) => {
  const account = await deps.accounts.byUsername(username)
  if (!account) throw new Error(`there is no ${username}`)
  return account
}

t.test(
  'an account that was registered and never used is removed after thirty days, and its name is free',
  async (t) => {
    const service = await startService(t)
    const ada = await enrol(service)
    const { mfaToken } = await register(service, 'squatter')
    await service.post('/2fa/setup', undefined, mfaToken)
    await service.post('/2fa/verify', { code: '000000' }, mfaToken)
    const { id } = await accountOf(service, 'squatter')

    service.clock.advance(30 * DAY - 1)
    await cleanUp(service.deps)
    t.strictSame(await names(service), ['ada', 'squatter'])
    service.clock.advance(1)
    t.match(await cleanUp(service.deps), { accounts: 1 })
    t.strictSame(await names(service), ['ada'])
    t.notOk(await isAlive(service, ada.accessToken), 'thirty days without use')
    const counters = await service.db.selectFrom('failure_counters').select('subject').execute()
    t.notOk(counters.some(({ subject }) => subject === id))
    t.match(
      await service.db
        .selectFrom('audit_events')
        .selectAll()
        .where('event', '=', 'account_expired')
        .execute(),
      [{ account_id: id, actor: 'service', outcome: 'success', ip: '', user_agent: 'keyturn' }],
    )
    t.equal((await service.post('/register', { username: 'Squatter', password: PASSWORD })).status, 201)
  },
)

t.test('UNENROLLED_DAYS says when, and 0 says never', async (t) => {
  for (const [days, left] of [
    ['2', []],
    ['0', ['squatter']],
  ] as const) {
    const service = await startService(t, { environment: { UNENROLLED_DAYS: days } })
    await register(service, 'squatter')
    service.clock.advance(2 * DAY)
    await cleanUp(service.deps)
    t.strictSame(await names(service), left)
    await service.close()
  }
})

t.test(
  'who has once signed in stays, and so does what an operator has made, imported, reset or closed',
  async (t) => {
    const service = await startService(t)
    const { clock, databaseUrl, deps } = service
    await enrol(service, 'signed-in')
    await createAccount(deps, { username: 'made', password: PASSWORD }, operatorCaller(), async () => {})
    await register(service, 'reset')
    await resetFactors(deps, await accountOf(service, 'reset'), operatorCaller())
    await register(service, 'closed')
    await closeAccount(deps, await accountOf(service, 'closed'), operatorCaller())
    await openAccount(deps, await accountOf(service, 'closed'), operatorCaller())
    const imported = {
      id: crypto.randomUUID(),
      username: 'imported',
      email: null,
      emailVerifiedAt: null,
      passwordHash: (await accountOf(service, 'made')).passwordHash,
      createdAt: 1,
      disabledAt: null,
      roles: [],
      secrets: {},
    }
    await importAccounts(deps, [imported], operatorCaller())
    const optional = await startService(t, { databaseUrl, clock, environment: { MFA_POLICY: 'optional' } })
    await optional.post('/register', { username: 'optional', password: `${PASSWORD} of mine` })
    await register(service, 'never-used')

    clock.advance(3650 * DAY)
    await cleanUp(deps)
    t.strictSame(await names(service), ['closed', 'imported', 'made', 'optional', 'reset', 'signed-in'])
  },
)

t.test('the first sign-in takes an account off the list', async (t) => {
  const service = await startService(t)
  await enrol(service, 'late')
  const { unenrolled_since: since } = await service.db
    .selectFrom('accounts')
    .selectAll()
    .executeTakeFirstOrThrow()
  t.equal(since, null)
})

t.test('thousands are removed in batches', async (t) => {
  const service = await startService(t)
  await register(service, 'first')
  const first = await service.db.selectFrom('accounts').selectAll().executeTakeFirstOrThrow()
  for (let from = 0; from < 1_300; from += 100)
    await service.db
      .insertInto('accounts')
      .values(
        Array.from({ length: 100 }, (_, index) => ({
          ...first,
          id: `seeded-${from + index}`,
          username: `seeded-${from + index}`,
          username_key: `seeded-${from + index}`,
        })),
      )
      .execute()
  service.clock.advance(31 * DAY)
  const steps = await greatestSteps(service, [{ table: 'accounts' }], () => cleanUp(service.deps))
  t.strictSame(steps, { accounts: 500 })
  t.strictSame(await names(service), [])
})

t.test('where the second factor is optional none goes, and none that an operator has unlocked', async (t) => {
  const service = await startService(t)
  const { clock, deps } = service
  await register(service, 'plain')
  await register(service, 'unlocked')
  await unlock(deps, await accountOf(service, 'unlocked'), [], operatorCaller())
  clock.advance(31 * DAY)
  await cleanUp({ ...deps, config: { ...deps.config, mfaPolicy: 'optional' } })
  t.strictSame(await names(service), ['plain', 'unlocked'])
  t.match(await checkAccounts({ mfaPolicy: 'optional', unenrolledDays: 30 }, service.db, clock), [
    { found: /MFA_POLICY is optional/ },
  ])
  await cleanUp(deps)
  t.strictSame(await names(service), ['unlocked'])
})

t.test('doctor lists which are next', async (t) => {
  const service = await startService(t)
  const { clock, db } = service
  await enrol(service)
  await register(service, 'squatter')
  t.match(await checkAccounts({ mfaPolicy: 'required', unenrolledDays: 30 }, db, clock), [
    { status: 'ok', found: /none .* 7 days/ },
  ])
  clock.advance(24 * DAY)
  t.match(await checkAccounts({ mfaPolicy: 'required', unenrolledDays: 30 }, db, clock), [
    { status: 'ok', found: /1 .* squatter \(2026-12-21T09:30:00.000Z\)$/ },
  ])
  t.match(await checkAccounts({ mfaPolicy: 'required', unenrolledDays: 0 }, db, clock), [
    { found: /UNENROLLED_DAYS is 0/ },
  ])
  for (let count = 0; count < 25; count++)
    await db
      .insertInto('accounts')
      .values({
        ...(await db
          .selectFrom('accounts')
          .selectAll()
          .where('username', '=', 'squatter')
          .executeTakeFirstOrThrow()),
        id: `seeded-${count}`,
        username: `seeded-${count}`,
        username_key: `seeded-${count}`,
      })
      .execute()
  const [finding] = await checkAccounts({ mfaPolicy: 'required', unenrolledDays: 30 }, db, clock)
  t.match(finding?.found, /26 .* and 6 more$/)
})
