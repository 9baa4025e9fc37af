import { dictionary } from '@zxcvbn-ts/language-common'
import t from 'tap'
import { isProblem } from '../helpers/requests/problems.ts'
import { type Service, startService } from '../helpers/service/service.ts'

/** NIST SP 800-63B-4 section 3.1.1.2: length counts, composition does not, and what is guessed first is refused. */

let made = 0
/** Registers a new account each time, unless a name is given. */
function choose(service: Service, password: string, username = `person-${++made}`) {
  return service.post('/register', { username, password })
}

t.test('the length is counted in code points, from 8 to 128', async (t) => {
  const service = await startService(t)
  for (const character of ['q', 'ß', '界', '🔑']) {
    isProblem(t, await choose(service, character.repeat(7)), 'password_rejected', `7 × ${character}`)
    t.equal((await choose(service, `${character.repeat(7)}~`)).status, 201, `8 with ${character}`)
    t.equal((await choose(service, `${character.repeat(127)}~`)).status, 201, `128 with ${character}`)
    isProblem(t, await choose(service, character.repeat(129)), 'validation_failed', `129 × ${character}`)
  }
})

t.test('what NFC makes shorter than 8 is too short, from whichever keyboard', async (t) => {
  const service = await startService(t)
  const decomposed = 'e\u0301'.repeat(7)
  isProblem(t, await choose(service, decomposed.normalize('NFC')), 'password_rejected')
  isProblem(t, await choose(service, decomposed), 'password_rejected')
  t.equal((await choose(service, 'e\u0301'.repeat(8))).status, 201)
})

t.test('every character is welcome, and none is asked for', async (t) => {
  const service = await startService(t)
  const passwords = [
    'alllowercase',
    '58210473659',
    '        x        ',
    ' leading and trailing ',
    'tab\tand\nnewline',
    'nul\0 in the middle',
    '"quotes" \\ and <tags>',
    'Пароль для Ады',
    '密码很长很长很长',
    '👩‍👩‍👧‍👦👩‍👩‍👧‍👦',
    '\u202eright to left',
    '\ufeffbyte order mark',
  ]
  for (const [i, password] of passwords.entries()) {
    const username = `free-${i}`
    t.equal((await choose(service, password, username)).status, 201, JSON.stringify(password))
    t.equal((await service.post('/login', { username, password })).status, 200)
    isProblem(t, await service.post('/login', { username, password: `${password} ` }), 'invalid_credentials')
  }
})

t.test('the most common passwords are refused, in any case', async (t) => {
  const service = await startService(t)
  const common = [
    'password',
    'PASSWORD',
    'Password',
    '12345678',
    'qwertyuiop',
    'iloveyou',
    'sunshine',
    'password123',
  ]
  for (const password of common) {
    const answer = await choose(service, password)
    isProblem(t, answer, 'password_rejected', password)
    t.match(answer.body, { detail: /too common/, reasons: ['common'] })
  }
  t.equal((await choose(service, 'password is not one')).status, 201, 'as a whole, not as a part')
})

t.test('the blocklist has the 10,000 most common of eight characters or more', async (t) => {
  const service = await startService(t)
  const common = dictionary['passwords-common'].filter((password) => String(password).length >= 8)
  t.ok(new Set(common).size >= 10_000, `${common.length} of them`)
  const sample = common.filter((_, i) => i % Math.ceil(common.length / 50) === 0)
  for (const password of sample)
    t.match(await choose(service, String(password)), { status: 422 }, String(password))
})

t.test('the username and the name of the service are refused', async (t) => {
  const environment = { APP_NAME: 'Émile & Co', ISSUER: 'https://accounts.example.com' }
  const service = await startService(t, { environment })
  isProblem(t, await choose(service, 'ada.lovelace', 'Ada.Lovelace'), 'password_rejected', 'the username')
  isProblem(t, await choose(service, 'ADA.LOVELACE', 'Ada.Lovelace'), 'password_rejected', 'in another case')
  t.equal((await choose(service, 'ada.lovelace.1815', 'Ada.Lovelace')).status, 201)
  for (const password of ['émile & co', 'E\u0301mile & Co', 'accounts.example.com'])
    isProblem(t, await choose(service, password), 'password_rejected', password)
  t.match((await choose(service, 'keyturn!')).status, 201)
})

t.test('where the password may be the only factor, it has 15 characters at least', async (t) => {
  const service = await startService(t, { environment: { MFA_POLICY: 'optional' } })
  isProblem(t, await choose(service, 'fourteen chars'), 'password_rejected')
  t.equal((await choose(service, 'fifteen chars !')).status, 201)
  isProblem(t, await choose(service, 'e\u0301'.repeat(14)), 'password_rejected', '14 after NFC')
})

t.test('all reasons why a password is not taken are told at once, by codes', async (t) => {
  const service = await startService(t)
  const short = await choose(service, 'hello', 'Hello')
  isProblem(t, short, 'password_rejected')
  t.match(short.body, {
    reasons: ['too_short', 'common', 'is_username'],
    min: 8,
    detail: /at least 8 characters/,
  })
  const common = (await choose(service, 'password')).body
  t.strictSame(common.reasons, ['common'])
  t.notOk('min' in common)
  t.match((await choose(service, 'Keyturn')).body.reasons, ['too_short', 'is_service_name'])
  t.notMatch((await choose(service, 'iloveyou')).text, 'iloveyou', 'an answer does not repeat a password')
})

t.test('at login the rules of today are not asked: an account may be older than they are', async (t) => {
  const service = await startService(t)
  for (const password of ['x', 'password', 'a'.repeat(128)])
    isProblem(
      t,
      await service.post('/login', { username: 'nobody', password }),
      'invalid_credentials',
      password,
    )
})

t.test('a password does not grow old: nobody is made to change it', async (t) => {
  const service = await startService(t)
  await choose(service, 'correct horse battery', 'ada')
  service.clock.advance(5 * 365 * 24 * 3600)
  const answer = await service.post('/login', { username: 'ada', password: 'correct horse battery' })
  t.equal(answer.status, 200)
})
