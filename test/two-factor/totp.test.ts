import t from 'tap'
import { matchingTimeStep, NO_STEP, newTotpSecret } from '../../src/two-factor/totp.ts'
import { decodeBase32, hotp, totp } from '../helpers/totp.ts'

/** The vectors of the RFCs, against the product and against the tests' own generator, which is not its library. */

const SECRET = Buffer.from('12345678901234567890')
const STEP = 30_000
const at = (seconds: number) => seconds * 1000

/** RFC 4226 appendix D: counters 0 to 9. */
const HOTP = '755224 287082 359152 969429 338314 254676 287922 162583 399871 520489'.split(' ')

/** RFC 6238 appendix B, SHA-1: seconds since the epoch and eight digits. */
const TOTP: [seconds: number, code: string][] = [
  [59, '94287082'],
  [1_111_111_109, '07081804'],
  [1_111_111_111, '14050471'],
  [1_234_567_890, '89005924'],
  [2_000_000_000, '69279037'],
  [20_000_000_000, '65353130'],
]

t.test('RFC 4226 appendix D', async (t) => {
  for (const [counter, code] of HOTP.entries()) {
    t.equal(hotp(SECRET, counter), code, `the tests' generator at ${counter}`)
    t.equal(matchingTimeStep(SECRET, code, counter * STEP, NO_STEP), counter, `the product at ${counter}`)
  }
})

t.test('RFC 6238 appendix B', async (t) => {
  for (const [seconds, code] of TOTP) {
    const step = Math.floor(seconds / 30)
    t.equal(hotp(SECRET, step, 8), code, `the tests' generator at ${seconds}`)
    t.equal(matchingTimeStep(SECRET, code.slice(2), at(seconds), NO_STEP), step, `the product at ${seconds}`)
  }
})

t.test('times beyond 2038 and 2106 are times like any other', async (t) => {
  for (const seconds of [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 30 * 2 ** 31, 30 * 2 ** 32, 2 ** 36]) {
    const step = Math.floor(seconds / 30)
    t.equal(matchingTimeStep(SECRET, hotp(SECRET, step), at(seconds), NO_STEP), step, `${seconds}`)
    t.equal(matchingTimeStep(SECRET, hotp(SECRET, step % 2 ** 32), at(seconds + 90), NO_STEP), null)
  }
})

t.test('a code is right in its own time step and one step either way, to the second', async (t) => {
  const step = 50_000_000
  const code = hotp(SECRET, step)
  const matches = (seconds: number) =>
    matchingTimeStep(SECRET, code, at(step * 30 + seconds), NO_STEP) === step
  t.equal(matches(0), true)
  t.equal(matches(29.999), true)
  t.equal(matches(-30), true, 'a clock that is a step behind')
  t.equal(matches(59.999), true, 'a step late')
  t.equal(matches(-30.001), false)
  t.equal(matches(60), false)
})

t.test('a step that was used, and every one before it, is spent', async (t) => {
  const step = 50_000_000
  const now = at(step * 30)
  const match = (offset: number, lastUsed: number) =>
    matchingTimeStep(SECRET, hotp(SECRET, step + offset), now, step + lastUsed)
  t.equal(match(0, -1), step)
  t.equal(match(0, 0), null, 'itself')
  t.equal(match(-1, 0), null, 'the one before')
  t.equal(match(1, 0), step + 1, 'the one after is good')
  for (const ahead of [1, 2, 1000]) {
    t.equal(match(0, ahead), null, 'and when the clock was set back, none is good until it catches up')
    t.equal(match(1, ahead), null)
  }
})

t.test('the first step of all can be used, and then is spent', async (t) => {
  t.equal(matchingTimeStep(SECRET, hotp(SECRET, 0), 0, NO_STEP), 0)
  t.equal(matchingTimeStep(SECRET, hotp(SECRET, 0), 0, 0), null)
})

t.test('blanks and dashes do not matter, anything else does', async (t) => {
  const [code = ''] = HOTP
  const match = (text: string) => matchingTimeStep(SECRET, text, 0, NO_STEP)
  for (const text of [code, '755 224', ' 755224 ', '755-224', '7 5 5 2 2 4']) t.equal(match(text), 0, text)
  const wrong = [
    '',
    '75522',
    '7552240',
    '0755224',
    '755225',
    '755.224',
    '+755224',
    '-755224x',
    '755224.0',
    '7.55224e5',
    '0xb8628',
    '７５５２２４',
    '٧٥٥٢٢٤',
    '75522\u0664',
    '755224\0',
    'abcdef',
    'NaN',
  ]
  for (const text of wrong) t.equal(match(text), null, JSON.stringify(text))
})

t.test('a code with zeros in front keeps them', async (t) => {
  let step = 0
  while (!hotp(SECRET, step).startsWith('00')) step++
  const code = hotp(SECRET, step)
  t.equal(matchingTimeStep(SECRET, code, step * STEP, NO_STEP), step, code)
  t.equal(matchingTimeStep(SECRET, String(Number(code)), step * STEP, NO_STEP), null)
})

t.test('a secret has 160 bits, and each is another', async (t) => {
  const secrets = Array.from({ length: 200 }, newTotpSecret)
  for (const secret of secrets) t.equal(secret.length, 20)
  t.equal(new Set(secrets.map((secret) => secret.toString('hex'))).size, 200)
})

t.test("the tests' own base32 reads the RFC's examples", async (t) => {
  t.strictSame(decodeBase32('MZXW6YTBOI'), Buffer.from('foobar'))
  t.equal(totp('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', at(59)), '287082')
})
