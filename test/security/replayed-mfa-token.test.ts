// The attack: an mfa token was captured on its way and is used again, beside or after its owner's use, with
// another code that is still good.
import t from 'tap'
import { totp } from '../helpers/people/totp.ts'
import { sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { enrol, login, nextCode, register, type Service, startService } from '../helpers/service/service.ts'

const count = async (service: Service, table: 'sessions' | 'recovery_codes', open: string) =>
  (await service.db.selectFrom(table).where(service.db.dynamic.ref(open), 'is', null).selectAll().execute())
    .length

t.test('an mfa token that opened a session opens nothing more', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const token = await login(service)
  t.equal((await service.post('/2fa/verify', { code: nextCode(service, ada) }, token)).status, 200)

  const [code] = ada.recoveryCodes
  const answers = [
    await service.post('/2fa/verify', { code: nextCode(service, ada) }, token),
    await service.post('/2fa/verify', { code, method: 'recovery_code' }, token),
    await service.post('/2fa/setup', undefined, token),
  ]
  t.strictSame(tally(answers), { '401 invalid_token': 3 })
  t.equal(await count(service, 'recovery_codes', 'used_at'), 10, 'the refused recovery code is unused')
})

t.test('the mfa token of a registration is spent by the confirmation', async (t) => {
  const service = await startService(t)
  const { mfaToken } = await register(service)
  const { body } = await service.post('/2fa/setup', undefined, mfaToken)
  await service.post('/2fa/verify', { code: totp(body.secret, service.clock.now()) }, mfaToken)
  const again = await service.post('/2fa/verify', { code: nextCode(service, body) }, mfaToken)
  t.equal(outcomeOf(again), '401 invalid_token')
})

t.test(
  'one mfa token with many good codes at once opens one session, and the others stay good',
  async (t) => {
    const service = await startService(t)
    const ada = await enrol(service)
    const code = nextCode(service, ada)
    const token = await login(service)
    const before = await count(service, 'sessions', 'ended_at')
    const proofs = [
      ...ada.recoveryCodes.map((code) => ({ code, method: 'recovery_code' })),
      { code, method: 'totp' },
    ]
    const answers = await burst(proofs.length, (index) => service.post('/2fa/verify', proofs[index], token))
    t.strictSame(tally(answers), { 200: 1, '401 invalid_token': 10 })
    t.equal(await count(service, 'sessions', 'ended_at'), before + 1)

    const won = proofs.filter((_, index) => answers[index]?.status === 200)
    for (const proof of proofs) {
      const answer = await service.post('/2fa/verify', proof, await login(service))
      t.equal(outcomeOf(answer), won.includes(proof) ? '422 invalid_code' : '200')
    }
  },
)

t.test('an mfa token opens once among two processes, in a burst of good codes and afterwards', async (t) => {
  const environment = await sharedEnvironment(t)
  const first = await startProcess(t, environment)
  const second = await startProcess(t, environment)
  const { recoveryCodes } = await enrol(first)
  const token = await login(second)
  const redeem = (index: number) =>
    (index % 2 ? first : second).post(
      '/2fa/verify',
      { code: recoveryCodes[index], method: 'recovery_code' },
      token,
    )
  const answers = await burst(recoveryCodes.length, redeem)
  t.strictSame(tally(answers), { 200: 1, '401 invalid_token': 9 })
  const late = await burst(recoveryCodes.length, redeem)
  t.strictSame(tally(late), { '401 invalid_token': 10 })
})

t.test('a spent mfa token stays spent over a restart, an unspent one stays good', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const [spent, unspent] = [await login(service), await login(service)]
  await service.post('/2fa/verify', { code: nextCode(service, ada) }, spent)
  await service.close()
  const restarted = await startService(t, { databaseUrl: service.databaseUrl, clock: service.clock })
  const code = nextCode(service, ada)
  t.equal(outcomeOf(await restarted.post('/2fa/verify', { code }, spent)), '401 invalid_token')
  t.equal(outcomeOf(await restarted.post('/2fa/verify', { code }, unspent)), '200')
})

t.test('an mfa token is dead when its time is over, and not a second before', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  for (const [age, expected] of [
    [299, '200'],
    [300, '401 invalid_token'],
  ] as const) {
    const token = await login(service)
    service.clock.advance(age)
    const code = totp(ada.secret, service.clock.now())
    t.equal(outcomeOf(await service.post('/2fa/verify', { code }, token)), expected, `${age} s old`)
  }
})

t.test('the mfa token of one account does not go with the codes of another', async (t) => {
  const service = await startService(t)
  await enrol(service, 'ada')
  const mallory = await enrol(service, 'mallory')
  const token = await login(service, 'ada')
  const answers = [
    await service.post('/2fa/verify', { code: nextCode(service, mallory) }, token),
    await service.post('/2fa/verify', { code: mallory.recoveryCodes[0], method: 'recovery_code' }, token),
  ]
  t.strictSame(tally(answers), { '422 invalid_code': 2 })
})
