// The attack: a recovery code stands for the whole second factor. It is guessed, used twice, used at another
// account, or its owner cannot read it any more on the day it is needed.
import t, { type Test } from 'tap'
import { newLetterCode } from '../../src/crypto/codes.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import {
  type Enrolled,
  enrol,
  login,
  logins,
  type Service,
  startService,
} from '../helpers/service/service.ts'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

async function withAda(t: Test): Promise<{ service: Service; ada: Enrolled; codes: string[] }> {
  const service = await startService(t)
  const ada = await enrol(service)
  return { service, ada, codes: ada.recoveryCodes }
}

const redeem = async (service: Service, code: string | undefined, token?: string) =>
  service.post('/2fa/verify', { code, method: 'recovery_code' }, token ?? (await login(service)))

t.test('an account has ten different codes of six groups, without characters that look alike', async (t) => {
  const { codes } = await withAda(t)
  t.equal(codes.length, 10)
  t.equal(new Set(codes).size, 10)
  for (const code of codes) t.match(code, /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){5}$/)
})

t.test('a code has 120 random bits: all 32 characters occur equally often in all 24 places', (t) => {
  const sample = 3200
  const codes = Array.from({ length: sample }, () => newLetterCode(24).replaceAll('-', ''))
  t.equal(new Set(codes).size, sample)
  for (let place = 0; place < 24; place += 1) {
    const counts = Array.from(
      ALPHABET,
      (character) => codes.filter((code) => code[place] === character).length,
    )
    const chiSquared = counts.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0)
    // 31 degrees of freedom: more than 90 happens by chance once in ten million.
    t.ok(chiSquared < 90, `place ${place}: ${chiSquared.toFixed(1)}`)
  }
  t.end()
})

t.test('a code is read as a person writes it down', async (t) => {
  const { service, codes } = await withAda(t)
  const spellings: ((code: string) => string)[] = [
    (code) => code,
    (code) => code.toLowerCase(),
    (code) => code.replaceAll('-', ''),
    (code) => code.replaceAll('-', ' '),
    (code) => `  ${code.replaceAll('-', ' - ')} `,
    (code) => code.replaceAll('0', 'O').replaceAll('1', 'I'),
    (code) => code.replaceAll('0', 'o').replaceAll('1', 'l'),
    (code) => code.replaceAll('1', 'L').toLowerCase(),
    (code) => code.replaceAll('-', '').replace(/.{3}/g, '$& '),
    (code) => code.replaceAll('-', '–').toLowerCase(),
  ]
  for (const [index, spell] of spellings.entries()) {
    const text = spell(codes[index] ?? '')
    t.equal((await redeem(service, text)).status, 200, text)
    t.equal(outcomeOf(await redeem(service, text)), '422 invalid_code', 'and once only')
  }
})

t.test('a code that was used is used in all its spellings', async (t) => {
  const { service, codes } = await withAda(t)
  const [code = ''] = codes
  t.equal((await redeem(service, code)).status, 200)
  for (const spelling of [code, code.toLowerCase(), code.replaceAll('-', '')])
    t.equal(outcomeOf(await redeem(service, spelling)), '422 invalid_code')
})

t.test('of fifty parallel uses of one code, one wins', async (t) => {
  const { service, codes } = await withAda(t)
  const tokens = await logins(service, 50)
  const answers = await burst(50, (index) => redeem(service, codes[0], tokens[index]))
  const { 200: won, '422 invalid_code': refused = 0, '429 too_many_attempts': paused = 0 } = tally(answers)
  t.equal(won, 1)
  t.equal(refused + paused, 49)
})

t.test('ten codes used at once all work: none is lost in the crowd', async (t) => {
  const { service, codes } = await withAda(t)
  const tokens = await logins(service, codes.length)
  const answers = await burst(codes.length, (index) => redeem(service, codes[index], tokens[index]))
  t.strictSame(tally(answers), { 200: 10 })
  const { body } = await service.post('/login', { username: 'ada', password: 'correct horse battery' })
  t.strictSame(body.methods, ['totp'], 'none is left to use')
})

t.test("a code opens its own account alone, and a try at another's does not use it up", async (t) => {
  const { service, codes } = await withAda(t)
  await enrol(service, 'mallory')
  const atMallorys = await redeem(service, codes[0], await login(service, 'mallory'))
  t.equal(outcomeOf(atMallorys), '422 invalid_code')
  t.equal((await redeem(service, codes[0])).status, 200)
})

t.test('part of a code, a code with more to it, or its wildcard opens nothing', async (t) => {
  const { service, codes } = await withAda(t)
  const [code = ''] = codes
  for (const text of [
    code.slice(0, -1),
    code.slice(0, 4),
    `${code}0`,
    `${code}${code.slice(0, 4)}`,
    '-'.repeat(29),
    '%',
    `${code.slice(0, -1)}%`,
    `${code.slice(0, -1)}_`,
    ' ',
  ]) {
    const answer = await redeem(service, text)
    t.match(outcomeOf(answer), /^(422 invalid_code|400 validation_failed)$/, text)
  }
})

t.test('guesses at recovery codes end their sign-in, and close nothing', async (t) => {
  const { service, codes } = await withAda(t)
  const tokens = await logins(service, 20)
  const answers = await burst(20, (index) => redeem(service, newLetterCode(24), tokens[index]))
  t.strictSame(tally(answers), { '422 invalid_code': 20 })
  const [token] = await logins(service, 1)
  const ofOne = await burst(8, () => redeem(service, newLetterCode(24), token))
  t.strictSame(tally(ofOne), { '422 invalid_code': 5, '401 invalid_token': 3 })
  t.equal((await redeem(service, codes[0])).status, 200)
})
