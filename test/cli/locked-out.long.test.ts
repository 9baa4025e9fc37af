import t from 'tap'
import { totp } from '../helpers/people/totp.ts'
import { startOperated } from '../helpers/programs/operated-service.ts'
import { type Enrolled, enrol, login, PASSWORD } from '../helpers/service/service.ts'

/** Those who cannot sign in any more, and those who must not: beside a running service. */

const { service, keyturn, mailTo, tokenMailedTo, lastEventOf } = await startOperated(t)
/** A code of a time step that comes after the one that confirmed the authenticator. */
const freshCode = ({ secret }: Pick<Enrolled, 'secret'>) => totp(secret, Date.now() + 30_000)
const statusOf = async (answer: Promise<{ status: number }>) => (await answer).status

t.test('users disable: everything ends at once, and enabling revives nothing', async (t) => {
  const alan = await enrol(service, 'alan')
  const underWay = await login(service, 'alan')
  const ended = await keyturn('users', 'disable', 'alan', '--yes')
  t.match(ended, { code: 0, stdout: 'The account alan is disabled.\n' })
  const afterwards = () =>
    Promise.all([
      statusOf(service.get('/me', alan.accessToken)),
      statusOf(service.post('/token/refresh', { refresh_token: alan.refreshToken })),
      statusOf(service.post('/2fa/verify', { code: freshCode(alan) }, underWay)),
    ])
  t.strictSame(await afterwards(), [401, 401, 401])
  t.equal(await statusOf(service.post('/login', { username: 'alan', password: PASSWORD })), 401)
  t.equal((await keyturn.events('--event', 'account_disabled', '--user', 'alan')).length, 1)
  t.match(await keyturn('users', 'disable', 'alan', '--yes'), { code: 0, stdout: /disabled already/ })
  t.match(await keyturn.json('users', 'list', '--disabled'), [{ username: 'alan' }])
  t.match(await keyturn('users', 'reset-password', 'alan'), { code: 1, stderr: /is disabled/ })

  t.match(await keyturn('users', 'enable', 'alan'), { code: 0, stdout: /is enabled/ })
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
  t.match(ended, { code: 0, stdout: /no second factor any more.*\n\n {4}[0-9A-Z-]{19}\n/ })
  t.equal(await lastEventOf('mary'), 'factors_reset by operator')
  t.equal(await statusOf(service.get('/me', verified.body.access_token)), 401)
  const again = await service.post('/login', { username: 'mary', password: PASSWORD })
  t.match(again.body, { enrolled: false, enrolment_code_required: true, methods: ['passkey', 'totp'] })
  const [recoveryCode] = verified.body.recovery_codes
  for (const answer of [{ code: freshCode({ secret }) }, { code: recoveryCode, method: 'recovery_code' }])
    t.ok((await statusOf(service.post('/2fa/verify', answer, again.body.mfa_token))) >= 400)

  const notice = await mailTo('mary@example.com', /second factor was reset/)
  t.match(notice.text, /From: the administrator/)
  const events = (await service.get('/me/events', await signInAgain('mary', ended.stdout))).body.events
  const own = events.find(({ event }: { event: string }) => event === 'factors_reset')
  t.match(own, { actor: 'operator', ip: '', user_agent: '' }, 'the owner does not learn who the operator is')
})

async function signInAgain(username: string, stdout: string): Promise<string> {
  const mfaToken = await login(service, username)
  const [code] = /[0-9A-Z]{4}(-[0-9A-Z]{4}){3}/.exec(stdout) ?? []
  const { secret } = (await service.post('/2fa/setup', { enrolment_code: code }, mfaToken)).body
  return (await service.post('/2fa/verify', { code: totp(secret, Date.now()) }, mfaToken)).body.access_token
}

t.test('users reset-2fa --by-mail: the code comes by mail, unless the password did', async (t) => {
  const options = ['--email', 'kay@example.com', '--email-verified']
  t.equal((await keyturn.withInput(`${PASSWORD}\n`, 'users', 'create', 'kay', ...options)).code, 0)
  const ended = await keyturn('users', 'reset-2fa', 'kay', '--by-mail', '--yes')
  t.match(ended, { code: 0, stdout: /was mailed to kay@example.com/ })
  const mail = await mailTo('kay@example.com', /your enrolment code/)
  t.match(mail.text, /^ {4}[0-9A-Z]{4}(-[0-9A-Z]{4}){3}/m)

  await service.post('/password/forgot', { username: 'kay' })
  const token = await tokenMailedTo('kay@example.com')
  const reset = await service.post('/password/reset', { token, new_password: 'staple in a haystack' })
  t.equal(reset.status, 204)
  const [code] = /[0-9A-Z]{4}(-[0-9A-Z]{4}){3}/.exec(mail.text) ?? []
  const mfaToken = await login(service, 'kay', 'staple in a haystack')
  const setup = await service.post('/2fa/setup', { enrolment_code: code }, mfaToken)
  t.equal(setup.status, 422, 'a mailed password voids the mailed code: the mailbox opens one door')
  const refused = await keyturn('users', 'reset-2fa', 'kay', '--by-mail', '--yes')
  t.match(refused, { code: 1, stderr: /was set by mail/ })
})

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
