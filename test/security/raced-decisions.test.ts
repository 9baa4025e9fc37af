// The attack: two requests for one account at the same moment, where one decides by rows that the other is about to
// change. Whatever the database lets happen at the same time, the outcome must be that of one after the other.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import { operatorClient } from '../../src/operator/operator-client.ts'
import { burst, outcomeOf, tally } from '../helpers/burst.ts'
import { enrol, nextCode, PASSWORD, startService } from '../helpers/service.ts'
import { signIn } from '../helpers/sessions.ts'

t.test('of many renewals of the recovery codes one is the last, and its ten are all there are', async (t) => {
  const service = await startService(t)
  const { accessToken, id } = await enrol(service)
  const answers = await burst(8, () => service.post('/2fa/recovery-codes', undefined, accessToken))
  t.strictSame(tally(answers), { 200: 8 })
  const left = await service.db
    .selectFrom('recovery_codes')
    .select('id')
    .where('account_id', '=', id)
    .execute()
  t.equal(left.length, 10)
})

t.test('no sign-in with the old password outlives its change', async (t) => {
  const service = await startService(t, { environment: { HASH_QUEUE: '100' } })
  const ada = await enrol(service)
  let password = PASSWORD
  for (let round = 0; round < 6; round += 1) {
    const { accessToken } = await signInWith(password)
    const next = `${PASSWORD} ${round}`
    const body = { current_password: password, new_password: next }
    const answers = await burst(9, (index) =>
      index === 4
        ? service.post('/password/change', body, accessToken)
        : service.post('/login', { username: 'ada', password }),
    )
    t.equal(answers[4]?.status, 204)
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
    const answer = await service.post('/2fa/verify', { code: nextCode(service, ada) }, body.mfa_token)
    return { accessToken: answer.body.access_token }
  }
})

t.test('of a removal and many set-ups at once, no session claims a factor that is gone', async (t) => {
  const service = await startService(t, { environment: { MFA_POLICY: 'optional' } })
  for (let round = 0; round < 4; round += 1) {
    const account = await enrol(service, `ada${round}`)
    const { accessToken } = await signIn(service, account)
    const answers = await burst(8, (index) =>
      index === 3
        ? service.delete('/2fa', accessToken)
        : service.post(
            '/2fa/step-up',
            { code: account.recoveryCodes[index], method: 'recovery_code' },
            accessToken,
          ),
    )
    t.equal(answers[3]?.status, 204)
    const live = await service.db
      .selectFrom('sessions')
      .select(['amr', 'acr'])
      .where('account_id', '=', account.id)
      .where('ended_at', 'is', null)
      .execute()
    t.ok(
      live.every(({ amr, acr }) => amr === 'pwd' && acr === 'aal1'),
      JSON.stringify(live),
    )
  }
})

t.test('recovery codes that are made while an operator resets the factors go with the others', async (t) => {
  const service = await startService(t)
  const { deps, db } = service
  const { id } = await enrol(service)
  const account = (await deps.accounts.byId(id)) as Account
  let reset = Promise.resolve()
  // As /2fa/recovery-codes does it, and held open until the reset has begun.
  await db.transaction().execute(async (trx) => {
    await deps.accounts.present(trx, id)
    await deps.recoveryCodes.renew(trx, id)
    reset = deps.resetFactors(account, operatorClient())
    await sleep(300)
  })
  await reset
  t.equal((await deps.recoveryCodes.stock(db, id)).remaining, 0)
})
