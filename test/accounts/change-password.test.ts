import t from 'tap'
import { outcomeOf, tally } from '../helpers/burst.ts'
import {
  codeIn,
  deliver,
  enrolByEmail,
  enrolWithAddress,
  notices,
  startMailingService,
} from '../helpers/mail.ts'
import { isProblem } from '../helpers/problems.ts'
import {
  type Answer,
  enrol,
  login,
  nextCode,
  PASSWORD,
  type Service,
  startService,
} from '../helpers/service.ts'
import { isAlive, refresh, signIn } from '../helpers/sessions.ts'

const NEXT = 'staple in a haystack'

function change(service: Service, token: string, next = NEXT, current = PASSWORD): Promise<Answer> {
  return service.post('/password/change', { current_password: current, new_password: next }, token)
}

t.test(
  'a new password takes the place of the old one; every other session ends, the owner is told',
  async (t) => {
    const service = await startMailingService(t)
    const ada = await enrolWithAddress(service)
    const other = await signIn(service, ada)
    const challenge = await login(service)
    service.clock.advance(30)
    t.equal((await change(service, ada.accessToken)).status, 204)

    t.ok(await isAlive(service, ada.accessToken))
    t.equal((await refresh(service, ada.refreshToken)).status, 200, 'this session goes on')
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

t.test('the present password is asked for, and guesses at it are counted', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const answers: Answer[] = []
  for (let guess = 0; guess < 10; guess += 1)
    answers.push(await change(service, ada.accessToken, NEXT, `guess number ${guess}`))
  t.strictSame(tally(answers), { '401 invalid_credentials': 10 })
  const paused = await change(service, ada.accessToken)
  isProblem(t, paused, 'too_many_attempts')
  t.equal(paused.headers['retry-after'], '30')
  t.equal(
    outcomeOf(await service.post('/login', { username: 'ada', password: PASSWORD })),
    '429 too_many_attempts',
  )
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
  t.equal(rejected.body.errors[0].pointer, '/new_password')
  t.ok(await login(service, 'ada.lovelace'), 'the old one is still good')
})

t.test('a token that is not fresh changes no password', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  service.clock.advance(301)
  isProblem(t, await change(service, ada.accessToken), 'insufficient_user_authentication')
})

t.test('a reset token from before is void', async (t) => {
  const service = await startMailingService(t)
  const ada = await enrolWithAddress(service)
  await service.post('/password/forgot', { username: 'ada' })
  const [mail] = await deliver(service)
  t.equal((await change(service, ada.accessToken)).status, 204)
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
  const answers = await Promise.all(words.map((next) => change(service, ada.accessToken, next)))
  t.equal(tally(answers)['204'], 1, JSON.stringify(tally(answers)))
  const winner = words[answers.findIndex(({ status }) => status === 204)] ?? ''
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
    t.equal((await change(service, body.access_token, NEXT, password)).status, 204)
    changed = true
    await Promise.all(logins)
    for (const token of signedIn) t.notOk(await isAlive(service, token))
  }
})

t.test('an account whose factor is its mailbox changes its password after signing in by mail', async (t) => {
  const service = await startMailingService(t)
  const ada = await enrolByEmail(service)
  t.equal((await change(service, ada.accessToken)).status, 204)
  t.strictSame(notices(await deliver(service)), ['your password was changed → ada@example.com'])
})
