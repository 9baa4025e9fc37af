import t from 'tap'
import { kindsOf, setUpReplacement } from '../helpers/people/factors.ts'
import { deliver, enrolByEmail, enrolWithAddress, notices, signInByEmail } from '../helpers/people/mail.ts'
import { accountTokenFor, claimsOf, isAlive, signIn } from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import {
  type Answer,
  type Enrolled,
  enrol,
  login,
  nextCode,
  PASSWORD,
  type Service,
  startService,
} from '../helpers/service/service.ts'

/** A new phone: the old authenticator works until the new one is confirmed, and never again after that. */

/** By an account token of the session that the access token is of. */
async function confirm(service: Service, token: string, code: string): Promise<Answer> {
  return service.post('/2fa/setup/confirm', { code }, await accountTokenFor(service, token))
}

async function verify(service: Service, code: string): Promise<Answer> {
  return service.post('/2fa/verify', { code }, await login(service))
}

/** The code of this moment. */
const codeOf = ({ clock }: Service, { secret }: Pick<Enrolled, 'secret'>) => totp(secret, clock.now())

t.test('the old authenticator works until the new one is confirmed', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  const fresh = await setUpReplacement(service, ada.accessToken)
  t.equal((await verify(service, nextCode(service, ada))).status, 200, 'the old one opens')
  t.equal(outcomeOf(await verify(service, codeOf(service, fresh))), '422 invalid_code', 'the new one not yet')
  t.strictSame(await kindsOf(service, ada.accessToken), ['totp'])

  isProblem(t, await confirm(service, ada.accessToken, nextCode(service, ada)), 'invalid_code')
  const confirmed = await confirm(service, ada.accessToken, codeOf(service, fresh))
  t.equal(confirmed.status, 200)
  t.notOk(confirmed.body.recovery_codes, 'the recovery codes stay as they are')
  t.not(claimsOf(confirmed.body.access_token).sid, claimsOf(ada.accessToken).sid, 'in a new session')
  t.strictSame(await kindsOf(service, confirmed.body.access_token), ['totp'])

  t.equal(outcomeOf(await verify(service, nextCode(service, ada))), '422 invalid_code', 'the old one is over')
  t.equal((await verify(service, nextCode(service, fresh))).status, 200)
  const answer = { code: ada.recoveryCodes[0], method: 'recovery_code' }
  t.equal((await service.post('/2fa/verify', answer, await login(service))).status, 200)
  t.match(notices(await deliver(service))[0], 'your authenticator was replaced → ada@example.com')
})

t.test('a lost phone is replaced by way of a recovery code', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const answer = { code: ada.recoveryCodes[0], method: 'recovery_code' }
  const { body } = await service.post('/2fa/verify', answer, await login(service))
  const fresh = await setUpReplacement(service, body.access_token)
  const confirmed = await confirm(service, body.access_token, codeOf(service, fresh))
  t.match(claimsOf(confirmed.body.access_token), { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] })
  t.equal((await verify(service, nextCode(service, fresh))).status, 200)
})

t.test('a replacement ends every other session', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const other = await signIn(service, ada)
  const fresh = await setUpReplacement(service, other.accessToken)
  t.equal((await confirm(service, other.accessToken, codeOf(service, fresh))).status, 200)
  t.notOk(await isAlive(service, ada.accessToken))
})

t.test('of fifty parallel confirmations of one replacement, one wins', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const fresh = await setUpReplacement(service, ada.accessToken)
  const code = codeOf(service, fresh)
  const answers = await burst(50, () => service.post('/2fa/setup/confirm', { code }, ada.accountToken))
  t.strictSame(tally(answers), { 200: 1, '401 invalid_token': 49 })
  t.equal((await verify(service, nextCode(service, fresh))).status, 200)
})

t.test(
  'two sessions that replace at once leave one authenticator: the one that was confirmed first',
  async (t) => {
    const service = await startService(t)
    const ada = await enrol(service)
    const other = await signIn(service, ada)
    const first = await setUpReplacement(service, ada.accessToken)
    const second = await setUpReplacement(service, other.accessToken)
    const confirms = async ({ accessToken }: { accessToken: string }, fresh: Pick<Enrolled, 'secret'>) => {
      const token = await accountTokenFor(service, accessToken)
      return () => service.post('/2fa/setup/confirm', { code: codeOf(service, fresh) }, token)
    }
    const both = [await confirms(ada, first), await confirms(other, second)]
    const answers = await Promise.all(both.map((confirm) => confirm()))
    // The account token of the other one ended with its session.
    t.strictSame(tally(answers), { 200: 1, '401 invalid_token': 1 })
    const [won, lost] = answers[0]?.status === 200 ? [first, second] : [second, first]
    t.equal(outcomeOf(await verify(service, nextCode(service, lost))), '422 invalid_code')
    t.equal((await verify(service, codeOf(service, won))).status, 200)
    const rows = await service.db.selectFrom('totp_factors').select('state').execute()
    t.strictSame(rows, [{ state: 'active' }])
  },
)

t.test(
  'a code of the old authenticator that races the confirmation wins before it or not at all',
  async (t) => {
    const service = await startService(t)
    let ada: Pick<Enrolled, 'secret' | 'accessToken'> = await enrol(service)
    for (let round = 0; round < 6; round += 1) {
      const { accessToken } = await signIn(service, { username: 'ada', secret: ada.secret })
      const fresh = await setUpReplacement(service, accessToken)
      const old = nextCode(service, ada)
      const mfaToken = await login(service)
      const attempts = [
        () => confirm(service, accessToken, codeOf(service, fresh)),
        () => service.post('/2fa/verify', { code: old }, mfaToken),
      ]
      if (round % 2) attempts.reverse()
      const answers = await Promise.all(attempts.map((attempt) => attempt()))
      if (round % 2) answers.reverse()
      t.equal(answers[0]?.status, 200)
      t.match(outcomeOf(answers[1] as Answer), /^(200|422 invalid_code)$/)
      t.equal(outcomeOf(await verify(service, old)), '422 invalid_code', 'after it, never')
      ada = { ...fresh, accessToken }
    }
  },
)

t.test('a confirmation takes a code of one step either way, and none of two', async (t) => {
  const service = await startService(t)
  for (const [drift, expected] of [
    [-2, '422 invalid_code'],
    [-1, '200'],
    [1, '200'],
    [2, '422 invalid_code'],
  ] as const) {
    const ada = await enrol(service, `drift${drift + 2}`)
    const fresh = await setUpReplacement(service, ada.accessToken)
    const code = totp(fresh.secret, service.clock.now() + drift * 30_000)
    t.equal(outcomeOf(await confirm(service, ada.accessToken, code)), expected, `${drift} steps`)
  }
})

t.test('the code that confirmed a replacement is spent, also when the clock steps back', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const fresh = await setUpReplacement(service, ada.accessToken)
  const ahead = totp(fresh.secret, service.clock.now() + 30_000)
  t.equal((await confirm(service, ada.accessToken, ahead)).status, 200)
  for (const back of [0, 30, 30]) {
    service.clock.advance(-back)
    for (const code of [ahead, codeOf(service, fresh)])
      t.equal(outcomeOf(await verify(service, code)), '422 invalid_code', `${back} s back`)
  }
  service.clock.advance(-3600)
  t.equal(outcomeOf(await verify(service, ahead)), '422 invalid_code', 'an hour back')
  service.clock.advance(3600 + 60 + 30)
  t.equal((await verify(service, nextCode(service, fresh))).status, 200, 'a later step is good')
})

t.test('a pending replacement is void after ten minutes, and the old authenticator stays', async (t) => {
  const service = await startService(t, { environment: { ACCESS_TOKEN_TTL: '1200' } })
  const ada = await enrol(service)
  const fresh = await setUpReplacement(service, ada.accessToken)
  service.clock.advance(600)
  const code = nextCode(service, ada)
  const stepUp = await service.post('/2fa/step-up', { code }, ada.accessToken)
  const late = await confirm(service, stepUp.body.access_token, codeOf(service, fresh))
  isProblem(t, late, 'not_enrolled')
  t.equal((await verify(service, nextCode(service, ada))).status, 200)
})

t.test('an access token confirms nothing', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const code = codeOf(service, await setUpReplacement(service, ada.accessToken))
  const answer = await service.post('/2fa/setup/confirm', { code }, ada.accessToken)
  isProblem(t, answer, 'insufficient_user_authentication')
})

t.test('a mfa token of before does not set up or confirm a replacement', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const fresh = await setUpReplacement(service, ada.accessToken)
  const mfaToken = await login(service)
  isProblem(t, await service.post('/2fa/setup', undefined, mfaToken), 'already_enrolled')
  const code = codeOf(service, fresh)
  isProblem(t, await service.post('/2fa/verify', { code }, mfaToken), 'invalid_code')
  isProblem(t, await service.post('/2fa/setup/confirm', { code }, mfaToken), 'invalid_token')
})

t.test(
  'an authenticator beside an older mailbox brings no recovery codes: it has to wait, and they would not',
  async (t) => {
    const service = await startService(t, { mail: true })
    const { recoveryCodes } = await enrolByEmail(service)
    for (const code of recoveryCodes) {
      service.clock.advance(1)
      await service.post('/login', { username: 'ada', password: PASSWORD, recovery_code: code })
    }
    service.clock.advance(3 * 24 * 3600)
    const { account_token } = (await signInByEmail(service)).body
    const { secret } = (await service.post('/2fa/setup', undefined, account_token)).body
    const code = totp(secret, service.clock.now())
    const { status, body } = await service.post('/2fa/setup/confirm', { code }, account_token)
    t.equal(status, 200)
    t.notOk('recovery_codes' in body)
  },
)
