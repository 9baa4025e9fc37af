// The attack: two requests for one account at the same moment, where one decides by rows that the other is about to
// change. Whatever the database lets happen at the same time, the outcome must be that of one after the other.
import { sql } from 'kysely'
import t from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import { operatorCaller } from '../../src/cli/operator.ts'
import { renewCodes } from '../../src/factors/recovery-codes/codes.ts'
import { recoveryCodeStock } from '../../src/factors/recovery-codes/store.ts'
import { resetFactors } from '../../src/factors/reset.ts'
import { inTransaction } from '../../src/platform/database.ts'
import { accountTokenFor, signedInBy, signIn } from '../helpers/people/sessions.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { onPostgres } from '../helpers/service/database.ts'
import { type Answer, enrol, nextCode, PASSWORD, startService } from '../helpers/service/service.ts'

t.test('of many renewals of the recovery codes one is made, and its ten are all there are', async (t) => {
  const service = await startService(t)
  const { accessToken, id } = await enrol(service)
  const tokens: string[] = []
  while (tokens.length < 8) tokens.push(await accountTokenFor(service, accessToken))
  const answers = await burst(8, (index) => service.post('/2fa/recovery-codes', undefined, tokens[index]))
  t.strictSame(tally(answers), { 200: 1, '401 invalid_token': 7 }, 'each token was good before')
  const left = await service.db
    .selectFrom('recovery_codes')
    .select('id')
    .where('account_id', '=', id)
    .execute()
  t.equal(left.length, 10)
})

t.test('of many changes by one account token at once, one is made', async (t) => {
  const service = await startService(t, { mail: true, environment: { MFA_POLICY: 'optional' } })
  for (let round = 0; round < 4; round += 1) {
    const token = await accountTokenFor(service, (await enrol(service, `ada${round}`)).accessToken)
    const passwords = { current_password: PASSWORD, new_password: 'staple in a haystack' }
    const changes = [
      () => service.post('/2fa/recovery-codes', undefined, token),
      () => service.put('/me/email', { email: `ada${round}@example.com` }, token),
      () => service.post('/password/change', passwords, token),
      () => service.delete('/2fa', token),
      () => service.delete('/me', token),
    ]
    const answers = await burst(changes.length, (index) =>
      (changes[(index + round) % changes.length] as () => Promise<Answer>)(),
    )
    // The password of an account that is gone is wrong, as any other.
    const refused = answers.filter(({ status }) => status === 401)
    t.equal(refused.length, changes.length - 1, JSON.stringify(tally(answers)))
    t.equal(answers.filter(({ status }) => status < 300).length, 1)
  }
})

t.test('no sign-in with the old password outlives its change', async (t) => {
  const service = await startService(t, { environment: { HASH_QUEUE: '100' } })
  const ada = await enrol(service)
  let password = PASSWORD
  for (let round = 0; round < 6; round += 1) {
    const { accountToken } = await signInWith(password)
    const next = `${PASSWORD} ${round}`
    const body = { current_password: password, new_password: next }
    const answers = await burst(9, (index) =>
      index === 4
        ? service.post('/password/change', body, accountToken)
        : service.post('/login', { username: 'ada', password }),
    )
    t.equal(answers[4]?.status, 200)
    for (const { status, body } of answers.filter((_, index) => index !== 4))
      if (status === 200)
        t.equal(
          outcomeOf(await service.post('/2fa/verify', { code: '000000' }, body.mfa_token)),
          '401 invalid_token',
        )
    password = next
  }

  async function signInWith(password: string) {
    const { body } = await service.post('/login', { username: 'ada', password })
    return signedInBy(await service.post('/2fa/verify', { code: nextCode(service, ada) }, body.mfa_token))
  }
})

t.test('of a removal and many step-ups at once, no session claims a factor that is gone', async (t) => {
  const service = await startService(t, { environment: { MFA_POLICY: 'optional' } })
  for (let round = 0; round < 4; round += 1) {
    const account = await enrol(service, `ada${round}`)
    const { accessToken, accountToken } = await signIn(service, account)
    const answers = await burst(8, (index) =>
      index === 3
        ? service.delete('/2fa', accountToken)
        : service.post(
            '/2fa/step-up',
            { code: account.recoveryCodes[index], method: 'recovery_code' },
            accessToken,
          ),
    )
    t.equal(answers[3]?.status, 200)
    const live = await service.db
      .selectFrom('sessions')
      .select(['amr', 'acr'])
      .where('account_id', '=', account.id)
      .where('ended_at', 'is', null)
      .execute()
    t.strictSame(live, [{ amr: 'pwd', acr: 'aal1' }], 'the one that the removal began')
  }
})

t.test('recovery codes that are made while an operator resets the factors go with the others', async (t) => {
  const service = await startService(t)
  const { deps, db } = service
  const { id } = await enrol(service)
  const account = (await deps.accounts.byId(id)) as Account
  let reset: Promise<unknown> = Promise.resolve()
  // SQLite has the reset wait for its turn, PostgreSQL for the lock of the account.
  const waiting = sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
  const resetWaits = async () => !onPostgres || (await waiting.execute(db)).rows.length > 0
  // As /2fa/recovery-codes does it.
  await inTransaction(db, async (trx) => {
    await deps.accounts.present(trx, id)
    await renewCodes(deps, trx, id)
    reset = resetFactors(deps, account, operatorCaller())
    await eventually('the reset waits', resetWaits)
  })
  await reset
  t.equal((await recoveryCodeStock(db, id)).remaining, 0)
})
