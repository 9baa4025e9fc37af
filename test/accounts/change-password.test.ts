import t from 'tap'
import { codeIn, deliver, enrolByEmail, enrolWithAddress, notices } from '../helpers/people/mail.ts'
import {
  accountTokenFor,
  claimsOf,
  isAlive,
  refresh,
  signedInBy,
  signIn,
} from '../helpers/people/sessions.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import {
  type Answer,
  enrol,
  login,
  nextCode,
  PASSWORD,
  type Service,
  startService,
} from '../helpers/service/service.ts'

const NEXT = 'staple in a haystack'

/** By an account token of the session that the access token is of. */
async function change(
  service: Service,
  accessToken: string,
  next = NEXT,
  current = PASSWORD,
): Promise<Answer> {
  const passwords = { current_password: current, new_password: next }
  return service.post('/password/change', passwords, await accountTokenFor(service, accessToken))
}

t.test(
  'a new password takes the place of the old one; every session ends and a new one begins, the owner is told',
  async (t) => {
    const service = await startService(t, { mail: true })
    const ada = await enrolWithAddress(service)
    const other = await signIn(service, ada)
    const challenge = await login(service)
    service.clock.advance(30)
    const { accessToken, refreshToken } = signedInBy(await change(service, ada.accessToken))

    t.ok(await isAlive(service, accessToken))
    t.equal((await refresh(service, refreshToken)).status, 200)
    const [before, after] = [claimsOf(ada.accessToken), claimsOf(accessToken)]
    t.match(
      after,
      { amr: before.amr, acr: before.acr, auth_time: before.auth_time },
      'it has shown what that had',
    )
    t.notOk(await isAlive(service, ada.accessToken), 'no copy of an older token lives on')
    t.equal(outcomeOf(await refresh(service, ada.refreshToken)), '401 invalid_refresh_token')
    t.notOk(await isAlive(service, other.accessToken))
    t.equal(outcomeOf(await refresh(service, other.refreshToken)), '401 invalid_refresh_token')
    const stale = await service.post('/2fa/verify', { code: nextCode(service, ada) }, challenge)
    t.equal(outcomeOf(stale), '401 invalid_token', 'a sign-in that was under way has ended')

    const old = await service.post('/login', { username: 'ada', password: PASSWORD })
    t.equal(outcomeOf(old), '401 invalid_credentials')
    t.ok(await login(service, 'ada', NEXT))
    t.strictSame(notices(await deliver(service)), ['your password was changed → ada@example.com'])
  },
)

t.test('the present password is asked for, and a session has five guesses at it', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const answers: Answer[] = []
  for (let guess = 0; guess < 9; guess += 1) {
    const remoteAddress = `203.0.${guess}.66`
    const passwords = { current_password: `guess number ${guess}`, new_password: NEXT }
    answers.push(await service.post('/password/change', passwords, ada.accountToken, { remoteAddress }))
  }
  t.strictSame(tally(answers), { '401 invalid_credentials': 5, '429 too_many_attempts': 4 })
  t.equal(outcomeOf(await change(service, ada.accessToken)), '429 too_many_attempts', 'the right one too')

  const again = await signIn(service, ada)
  for (let guess = 0; guess < 4; guess += 1) await change(service, again.accessToken, NEXT, 'a guess')
  t.equal((await change(service, again.accessToken)).status, 200, 'another session has its own five')
})

t.test('guesses at the present password are counted for the name', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const again = await signIn(service, ada)
  for (let guess = 0; guess < 5; guess += 1) await change(service, ada.accessToken, NEXT, 'a guess')
  for (let guess = 0; guess < 5; guess += 1) await change(service, again.accessToken, NEXT, 'a guess')
  const paused = await service.post('/login', { username: 'ada', password: PASSWORD })
  isProblem(t, paused, 'too_many_attempts')
  t.equal(paused.headers['retry-after'], '30')
})

t.test('the new password must be as good as one at registration', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service, 'ada.lovelace')
  for (const bad of ['password123', 'ADA.lovelace', 'keyturn1'.slice(0, 7), 'Keyturn'])
    t.match(
      (await change(service, ada.accessToken, bad)).body.code,
      /^(password_rejected|validation_failed)$/,
      bad,
    )
  const rejected = await change(service, ada.accessToken, 'password123')
  isProblem(t, rejected, 'password_rejected')
  t.strictSame(rejected.body.reasons, ['common'])
  t.ok(await login(service, 'ada.lovelace'), 'the old one is still good')
})

t.test('an access token changes no password', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const passwords = { current_password: PASSWORD, new_password: NEXT }
  const answer = await service.post('/password/change', passwords, ada.accessToken)
  isProblem(t, answer, 'insufficient_user_authentication')
  t.ok(await login(service), 'the old one is still good')
})

t.test('a reset token from before is void', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  await service.post('/password/forgot', { username: 'ada' })
  const [mail] = await deliver(service)
  t.equal((await change(service, ada.accessToken)).status, 200)
  const reset = await service.post('/password/reset', {
    token: codeIn(mail),
    new_password: 'chosen by a thief of mail',
  })
  t.equal(outcomeOf(reset), '401 invalid_token')
})

t.test('of two changes at once, one wins', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  service.clock.advance(10)
  const words = ['anchor bottle cloud', 'dagger engine forest', 'garden hammer island']
  // Made before: the session ends with the first change.
  const tokens = await Promise.all(words.map(() => accountTokenFor(service, ada.accessToken)))
  const answers = await burst(words.length, (index) =>
    service.post(
      '/password/change',
      { current_password: PASSWORD, new_password: words[index] },
      tokens[index],
    ),
  )
  t.equal(tally(answers)['200'], 1, JSON.stringify(tally(answers)))
  const winner = words[answers.findIndex(({ status }) => status === 200)] ?? ''
  t.ok(await login(service, 'ada', winner))
})

t.test('a sign-in with the old password that overlaps the change opens nothing', async (t) => {
  const service = await startService(t, {
    environment: { MFA_POLICY: 'optional', ARGON2_MEMORY_KIB: '4096', HASH_CONCURRENCY: '4' },
  })
  const password = 'a password of some length'
  for (let round = 0; round < 4; round += 1) {
    const credentials = { username: `ada${round}`, password }
    await service.post('/register', credentials)
    const { body } = await service.post('/login', credentials)
    service.clock.advance(10)

    let changed = false
    const signedIn: string[] = []
    const keepSigningIn = async () => {
      while (!changed) {
        const login = await service.post('/login', credentials)
        if (login.status === 200) signedIn.push(login.body.access_token)
      }
    }
    const logins = [keepSigningIn(), keepSigningIn(), keepSigningIn()]
    t.equal((await change(service, body.access_token, NEXT, password)).status, 200)
    changed = true
    await Promise.all(logins)
    for (const token of signedIn) t.notOk(await isAlive(service, token))
  }
})

t.test('an account whose factor is its mailbox changes its password after signing in by mail', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolByEmail(service)
  t.equal((await change(service, ada.accessToken)).status, 200)
  t.strictSame(notices(await deliver(service)), ['your password was changed → ada@example.com'])
})
