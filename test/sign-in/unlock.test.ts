import t from 'tap'
import { unlock as unlockAccount } from '../../src/sign-in/unlock.ts'
import { CLOSED, setFailures } from '../helpers/service/failures.ts'
import { enrol, login, nextCode, startService, wrongCode } from '../helpers/service/service.ts'

const OPERATOR = { by: 'operator', ip: '', userAgent: 'keyturn (test)', requestId: 'test' } as const

/** NIST SP 800-63B-4 section 3.2.2: after a hundred wrong codes in a row a factor is of no use until it is renewed. */
t.test('an operator ends a pause, not the count of wrong codes', async (t) => {
  const service = await startService(t, { spared: ['countersAreResetBySuccess'] })
  const ada = await enrol(service)
  const account = await service.deps.accounts.byId(ada.id)
  if (!account) throw new Error('there is an account')
  const unlock = () => unlockAccount(service.deps, account, [], OPERATOR)
  const answer = async (code: string) =>
    (await service.post('/2fa/verify', { code }, await login(service))).status

  await answer(wrongCode(service, ada))
  await setFailures(service, ada.id, 'totp', 20, service.clock.now() + 900_000)
  t.equal(await answer(nextCode(service, ada)), 429, 'paused')
  await unlock()
  t.equal(await answer(wrongCode(service, ada)), 422)
  t.equal(await answer(nextCode(service, ada)), 429, 'the next wrong one brings the next pause')

  await setFailures(service, ada.id, 'totp', 100, CLOSED)
  await unlock()
  t.equal(
    (await service.post('/2fa/verify', { code: nextCode(service, ada) }, await login(service))).status,
    429,
  )
  t.strictSame(await service.deps.attempts.closed(service.db, ada.id), ['totp'])
})
