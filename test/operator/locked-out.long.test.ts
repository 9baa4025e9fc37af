import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startOperated } from '../helpers/operated-service.ts'
import { type Enrolled, enrol, login, PASSWORD } from '../helpers/service.ts'
import { totp } from '../helpers/totp.ts'

/** Those who cannot sign in any more, and those who must not: beside a running service. */

const { service, keyturn, smtp, tokenMailedTo, lastEventOf } = await startOperated(t)
/** A code of a time step that comes after the one that confirmed the authenticator. */
const freshCode = ({ secret }: Pick<Enrolled, 'secret'>) => totp(secret, Date.now() + 30_000)
const statusOf = async (answer: Promise<{ status: number }>) => (await answer).status

t.test('users disable: everything ends at once, and enabling revives nothing', async (t) => {
  const alan = await enrol(service, 'alan')
  const underWay = await login(service, 'alan')
  const ended = await keyturn('users', 'disable', 'alan', '--yes')
  t.match(ended, { code: 0, stdout: 'The account alan is closed.\n' })
  const afterwards = () =>
    Promise.all([
      statusOf(service.get('/me', alan.accessToken)),
      statusOf(service.post('/token/refresh', { refresh_token: alan.refreshToken })),
      statusOf(service.post('/2fa/verify', { code: freshCode(alan) }, underWay)),
    ])
  t.strictSame(await afterwards(), [401, 401, 401])
  t.equal(await statusOf(service.post('/login', { username: 'alan', password: PASSWORD })), 401)
  t.equal((await keyturn.events('--event', 'account_disabled', '--user', 'alan')).length, 1)
  t.match(await keyturn('users', 'disable', 'alan', '--yes'), { code: 0, stdout: /closed already/ })
  t.match(await keyturn.json('users', 'list', '--disabled'), [{ username: 'alan' }])
  t.match(await keyturn('users', 'reset-password', 'alan'), { code: 1, stderr: /is closed/ })

  t.match(await keyturn('users', 'enable', 'alan'), { code: 0, stdout: /open again/ })
  t.equal(await lastEventOf('alan'), 'account_enabled by operator')
  t.strictSame(await afterwards(), [401, 401, 401])
  t.equal(
    await statusOf(service.post('/2fa/verify', { code: freshCode(alan) }, await login(service, 'alan'))),
    200,
  )
})

t.test('users reset-2fa: the old factors are gone, the password is not, and the owner is told', async (t) => {
  const token = (await keyturn('users', 'create', 'mary', '--email', 'mary@example.com', '--by-mail')).code
  t.equal(token, 0)
  const resetToken = await tokenMailedTo('mary@example.com')
  await service.post('/password/reset', { token: resetToken, new_password: PASSWORD })
  const mfaToken = await login(service, 'mary')
  const { secret } = (await service.post('/2fa/setup', undefined, mfaToken)).body
  const verified = await service.post('/2fa/verify', { code: totp(secret, Date.now()) }, mfaToken)
  t.equal(verified.status, 200)

  const ended = await keyturn('users', 'reset-2fa', 'mary', '--yes')
  t.match(ended, { code: 0, stdout: /no second factor any more/ })
  t.equal(await lastEventOf('mary'), 'factors_reset by operator')
  t.equal(await statusOf(service.get('/me', verified.body.access_token)), 401)
  const again = await service.post('/login', { username: 'mary', password: PASSWORD })
  t.match(again.body, { enrolled: false, methods: ['totp'] })
  const [recoveryCode] = verified.body.recovery_codes
  for (const answer of [{ code: freshCode({ secret }) }, { code: recoveryCode, method: 'recovery_code' }])
    t.ok((await statusOf(service.post('/2fa/verify', answer, again.body.mfa_token))) >= 400)

  for (let wait = 0; wait < 100 && !/second factor was reset/.test(smtp.mails.at(-1)?.raw ?? ''); wait += 1)
    await sleep(100)
  t.match(smtp.mails.at(-1)?.text, /By: the people who run this service/)
  const events = (await service.get('/me/events', await signInAgain('mary'))).body.events
  const own = events.find(({ event }: { event: string }) => event === 'factors_reset')
  t.match(own, { actor: 'operator', ip: '', user_agent: '' }, 'the owner does not learn who the operator is')
})

async function signInAgain(username: string): Promise<string> {
  const mfaToken = await login(service, username)
  const { secret } = (await service.post('/2fa/setup', undefined, mfaToken)).body
  return (await service.post('/2fa/verify', { code: totp(secret, Date.now()) }, mfaToken)).body.access_token
}

t.test('users unlock: whoever was paused for wrong passwords signs in again', async (t) => {
  const rosa = await enrol(service, 'rosa')
  const guess = () => service.post('/login', { username: 'rosa', password: 'wrong battery staple' })
  for (let count = 0; count < 10; count += 1) await guess()
  const login = () => statusOf(service.post('/login', { username: 'rosa', password: PASSWORD }))
  t.equal(await login(), 429)
  t.match(await keyturn('users', 'unlock', 'rosa'), { code: 0, stdout: 'rosa can try again now.\n' })
  t.equal(await lastEventOf('rosa'), 'account_unlocked by operator')
  const { body } = await service.post('/login', { username: 'rosa', password: PASSWORD })
  t.equal(await statusOf(service.post('/2fa/verify', { code: freshCode(rosa) }, body.mfa_token)), 200)
})
