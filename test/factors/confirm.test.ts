import t from 'tap'
import { failing } from '../helpers/faults/faults.ts'
import { inPlaceOfTheOld, kindsOf, setUpReplacement } from '../helpers/people/factors.ts'
import {
  accountTokenFor,
  claimsOf,
  isAlive,
  refresh,
  type SignedIn,
  signedInBy,
  signIn,
} from '../helpers/people/sessions.ts'
import { totp } from '../helpers/people/totp.ts'
import { burst, outcomeOf } from '../helpers/requests/burst.ts'
import {
  enrol,
  login,
  nextCode,
  PASSWORD,
  register,
  type Service,
  startService,
  wrongCode,
} from '../helpers/service/service.ts'

const OPTIONAL = { MFA_POLICY: 'optional' }

/** By an account token of the session that the access token is of. */
const confirm = async (service: Service, accessToken: string, code: string) =>
  service.post('/2fa/setup/confirm', { code }, await accountTokenFor(service, accessToken))

/** A new pending authenticator. */
async function setUp(service: Service, accessToken: string): Promise<{ secret: string }> {
  const { status, body } = await service.post(
    '/2fa/setup',
    undefined,
    await accountTokenFor(service, accessToken),
  )
  if (status !== 200) throw new Error(`setup answered ${status}: ${JSON.stringify(body)}`)
  return { secret: body.secret }
}

const codeOf = ({ clock }: Service, { secret }: { secret: string }) => totp(secret, clock.now())

async function byPassword(service: Service): Promise<SignedIn> {
  return signedInBy(await service.post('/login', { username: 'ada', password: PASSWORD }))
}

t.test('an account without a factor enrols later, from within its session', async (t) => {
  const service = await startService(t, { environment: OPTIONAL })
  await register(service)
  const ada = await byPassword(service)
  const authenticator = await setUp(service, ada.accessToken)
  const { status, headers, body } = await confirm(service, ada.accessToken, codeOf(service, authenticator))
  t.equal(status, 200)
  t.equal(headers['cache-control'], 'no-store')
  t.match(body, { token_type: 'Bearer', expires_in: 600, refresh_expires_in: 2_592_000 })
  t.equal(body.recovery_codes.length, 10)
  t.match(claimsOf(body.access_token), { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] })
  t.not(claimsOf(body.access_token).sid, ada.sessionId, 'the session is a new one')
  t.equal((await service.get('/me', body.access_token)).body.two_factor_enabled, true)
  const refreshed = await refresh(service, body.refresh_token)
  t.match(claimsOf(refreshed.body.access_token), { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] })

  const [code] = body.recovery_codes
  const answer = { code, method: 'recovery_code' }
  t.equal((await service.post('/2fa/verify', answer, await login(service))).status, 200)
})

t.test('an authenticator works until its replacement is confirmed, and not after', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const replacement = await setUpReplacement(service, ada.accessToken)
  t.ok((await signIn(service, ada)).accessToken, 'the old one works while the new one waits')
  const early = { code: codeOf(service, replacement) }
  t.equal(outcomeOf(await service.post('/2fa/verify', early, await login(service))), '422 invalid_code')

  service.clock.advance(30)
  const { status, body } = await confirm(service, ada.accessToken, codeOf(service, replacement))
  t.equal(status, 200)
  t.notOk('recovery_codes' in body, 'the recovery codes stay as they are')
  t.not(claimsOf(body.access_token).sid, claimsOf(ada.accessToken).sid, 'the session is a new one')

  const old = { code: nextCode(service, ada) }
  t.equal(outcomeOf(await service.post('/2fa/verify', old, await login(service))), '422 invalid_code')
  t.ok((await signIn(service, { ...ada, ...replacement })).accessToken)
  const recovery = { code: ada.recoveryCodes[0], method: 'recovery_code' }
  t.equal((await service.post('/2fa/verify', recovery, await login(service))).status, 200)
})

t.test('the code that confirmed is spent, and with it its time step', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const replacement = await setUpReplacement(service, ada.accessToken)
  const code = codeOf(service, replacement)
  const { body } = await confirm(service, ada.accessToken, code)
  t.equal(outcomeOf(await service.post('/2fa/verify', { code }, await login(service))), '422 invalid_code')
  t.equal(outcomeOf(await service.post('/2fa/step-up', { code }, body.access_token)), '422 invalid_code')
  t.equal(outcomeOf(await confirm(service, body.access_token, code)), '409 not_enrolled')
})

t.test('of several authenticators that are being set up, each session confirms its own', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const other = await signIn(service, ada)
  const own = await setUp(service, ada.accessToken)
  t.strictSame(await setUp(service, ada.accessToken), own, 'asked again, it is the same')
  const others = await setUp(service, other.accessToken)
  t.not(others.secret, own.secret)
  t.equal(outcomeOf(await confirm(service, ada.accessToken, codeOf(service, others))), '422 invalid_code')
  t.equal((await confirm(service, other.accessToken, codeOf(service, others))).status, 200)
  const rows = await service.db.selectFrom('totp_factors').select('state').execute()
  t.strictSame(rows, [{ state: 'active' }, { state: 'active' }], 'and the others are gone')
})

t.test('a second authenticator leaves the first one in force', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const added = await setUp(service, ada.accessToken)
  const { status, body } = await confirm(service, ada.accessToken, codeOf(service, added))
  t.equal(status, 200)
  t.strictSame(await kindsOf(service, body.access_token), ['totp', 'totp'])
  t.ok((await signIn(service, ada)).accessToken)
  t.ok((await signIn(service, { ...ada, ...added })).accessToken)
})

t.test('asked again with another wish, the same authenticator replaces instead of being added', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const added = await setUp(service, ada.accessToken)
  t.strictSame(await setUpReplacement(service, ada.accessToken), added)
  const { body } = await confirm(service, ada.accessToken, codeOf(service, added))
  t.strictSame(await kindsOf(service, body.access_token), ['totp'])
})

t.test('only an authenticator of the account itself is replaced', async (t) => {
  const service = await startService(t)
  const [ada, mallory] = [await enrol(service), await enrol(service, 'mallory')]
  for (const body of [await inPlaceOfTheOld(service, ada.accessToken), { replaces: 'nothing' }]) {
    const answer = await service.post('/2fa/setup', body, await accountTokenFor(service, mallory.accessToken))
    t.equal(outcomeOf(answer), '404 not_found')
  }
})

t.test('an authenticator that is not confirmed in ten minutes is void', async (t) => {
  for (const [seconds, outcome] of [
    [599, '200'],
    [600, '409 not_enrolled'],
  ] as const) {
    const service = await startService(t)
    const ada = await enrol(service)
    const replacement = await setUpReplacement(service, ada.accessToken)
    service.clock.advance(seconds)
    t.equal(outcomeOf(await confirm(service, ada.accessToken, codeOf(service, replacement))), outcome)
  }
})

t.test('all other sessions end when the first one is confirmed', async (t) => {
  const service = await startService(t, { environment: OPTIONAL })
  await register(service)
  const [ada, thief] = [await byPassword(service), await byPassword(service)]
  const { secret } = await setUp(service, ada.accessToken)
  const confirmed = signedInBy(await confirm(service, ada.accessToken, codeOf(service, { secret })))
  t.ok(await isAlive(service, confirmed.accessToken))
  t.notOk(await isAlive(service, thief.accessToken))
  t.equal(outcomeOf(await refresh(service, thief.refreshToken)), '401 invalid_refresh_token')

  const other = await signIn(service, { username: 'ada', secret })
  const replacement = await setUpReplacement(service, confirmed.accessToken)
  t.equal((await confirm(service, confirmed.accessToken, codeOf(service, replacement))).status, 200)
  t.notOk(await isAlive(service, other.accessToken), 'with a replacement, those end too that have shown one')
})

// The attack: the refresh token was stolen before the session became surer, and is used by the thief afterwards
// to be as sure as the owner.
t.test('no refresh token from before the confirmation is of use after it', async (t) => {
  const service = await startService(t, { environment: OPTIONAL })
  await register(service)
  const { refreshToken } = await byPassword(service)
  const before = signedInBy(await refresh(service, refreshToken))
  const authenticator = await setUp(service, before.accessToken)
  const after = signedInBy(await confirm(service, before.accessToken, codeOf(service, authenticator)))

  t.equal(outcomeOf(await refresh(service, before.refreshToken)), '401 invalid_refresh_token')
  const retry = await refresh(service, refreshToken)
  t.equal(outcomeOf(retry), '401 invalid_refresh_token', 'nor a retry of the one before that')
  t.ok(await isAlive(service, after.accessToken), 'the new session goes on')
  t.equal((await refresh(service, after.refreshToken)).status, 200)
})

t.test('of many confirmations at once one wins, and its recovery codes are the true ones', async (t) => {
  const service = await startService(t, { environment: OPTIONAL })
  await register(service)
  const { accessToken, accountToken } = await byPassword(service)
  const code = codeOf(service, await setUp(service, accessToken))
  const answers = await burst(20, () => service.post('/2fa/setup/confirm', { code }, accountToken))
  const won = answers.filter(({ status }) => status === 200)
  // One that comes after the first has won is told that its token shows too little now.
  t.strictSame(answers.map(({ status }) => status).sort(), [200, ...Array(19).fill(401)])
  const { access_token: token, recovery_codes: codes } = won[0]?.body ?? {}
  for (const code of codes)
    t.equal((await service.post('/2fa/step-up', { code, method: 'recovery_code' }, token)).status, 200)
})

t.test('no one confirms the authenticator of another account', async (t) => {
  const service = await startService(t)
  const [ada, mallory] = [await enrol(service), await enrol(service, 'mallory')]
  const pending = await setUp(service, ada.accessToken)
  const code = codeOf(service, pending)
  t.equal(outcomeOf(await confirm(service, mallory.accessToken, code)), '409 not_enrolled')
  await setUp(service, mallory.accessToken)
  t.equal(outcomeOf(await confirm(service, mallory.accessToken, code)), '422 invalid_code')
  t.equal((await confirm(service, ada.accessToken, code)).status, 200, 'it is unspent')
})

t.test('a wrong code changes nothing', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const pending = await setUpReplacement(service, ada.accessToken)
  const answer = await confirm(service, ada.accessToken, wrongCode(service, pending))
  t.equal(outcomeOf(answer), '422 invalid_code')
  t.equal(answer.body.server_time, '2026-11-21T09:30:00.000Z')
  t.ok((await signIn(service, ada)).accessToken)
  t.equal((await confirm(service, ada.accessToken, codeOf(service, pending))).status, 200)
})

t.test('a confirmation that cannot be stored leaves the old authenticator in force', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const pending = await setUpReplacement(service, ada.accessToken)
  const attempt = () => confirm(service, ada.accessToken, codeOf(service, pending))
  t.equal(outcomeOf(await failing(service, ['insert', 'refresh_tokens'], attempt)), '503 unavailable')
  t.equal(outcomeOf(await failing(service, ['update', 'totp_factors'], attempt)), '503 unavailable')
  t.ok((await signIn(service, ada)).accessToken)
  t.equal((await attempt()).status, 200)
})
