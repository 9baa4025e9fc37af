import t from 'tap'
import {
  KEPT_STEPS,
  matchingTimeStep,
  NO_STEP,
  newTotpSecret,
  type SpentSteps,
  spendStep,
} from '../../src/factors/totp/code.ts'
import { decodeBase32, hotp, totp } from '../helpers/people/totp.ts'

/** The vectors of the RFCs, against the product and against the tests' own generator, which is not its library. */

const NONE_SPENT = { lastUsedStep: NO_STEP, otherSteps: [] }
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
    t.equal(matchingTimeStep(SECRET, code, counter * STEP, NONE_SPENT), counter, `the product at ${counter}`)
  }
})

t.test('RFC 6238 appendix B', async (t) => {
  for (const [seconds, code] of TOTP) {
    const step = Math.floor(seconds / 30)
    t.equal(hotp(SECRET, step, 8), code, `the tests' generator at ${seconds}`)
    t.equal(
      matchingTimeStep(SECRET, code.slice(2), at(seconds), NONE_SPENT),
      step,
      `the product at ${seconds}`,
    )
  }
})

t.test('times beyond 2038 and 2106 are times like any other', async (t) => {
  for (const seconds of [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 30 * 2 ** 31, 30 * 2 ** 32, 2 ** 36]) {
    const step = Math.floor(seconds / 30)
    t.equal(matchingTimeStep(SECRET, hotp(SECRET, step), at(seconds), NONE_SPENT), step, `${seconds}`)
    t.equal(matchingTimeStep(SECRET, hotp(SECRET, step % 2 ** 32), at(seconds + 90), NONE_SPENT), null)
  }
})

t.test('a code is right in its own time step and one step either way, to the second', async (t) => {
  const step = 50_000_000
  const code = hotp(SECRET, step)
  const matches = (seconds: number) =>
    matchingTimeStep(SECRET, code, at(step * 30 + seconds), NONE_SPENT) === step
  t.equal(matches(0), true)
  t.equal(matches(29.999), true)
  t.equal(matches(-30), true, 'a clock that is a step behind')
  t.equal(matches(59.999), true, 'a step late')
  t.equal(matches(-30.001), false)
  t.equal(matches(60), false)
})

const MIDDLE = 50_000_000

/** Whether the code of a step, counted from a middle one, is taken in that middle one after others were spent. */
const taken = (offset: number, spent: number[]) => {
  const [lastUsedStep = NO_STEP, ...otherSteps] = spent.map((each) => MIDDLE + each).sort((a, b) => b - a)
  const known = { lastUsedStep, otherSteps }
  return matchingTimeStep(SECRET, hotp(SECRET, MIDDLE + offset), MIDDLE * STEP, known) === MIDDLE + offset
}

t.test('a step that was used, and every one before it, is spent', async (t) => {
  t.equal(taken(0, [-1]), true)
  t.equal(taken(0, [0]), false, 'itself')
  t.equal(taken(-1, [0]), false, 'the one before')
  t.equal(taken(1, [0]), true, 'the one after is good')
  for (const ahead of [1, 2, 3])
    for (const offset of [-1, 0, 1])
      t.equal(taken(offset, [ahead, -1]), false, 'of another process, whose clock is a minute ahead')
})

t.test('a step that was spent by a clock that was further ahead is spent, and none before it', async (t) => {
  for (const ahead of [4, 5, 1000]) {
    for (const offset of [-1, 0, 1]) t.equal(taken(offset, [ahead]), true)
    t.equal(taken(0, [ahead, 0]), false, 'what was spent before is spent all the same')
    t.equal(taken(-1, [ahead, 0]), false)
    t.equal(taken(1, [ahead, 0, -1]), true)
    t.equal(taken(1, [ahead, ahead + 1, 1]), false)
  }
})

t.test(
  'of the steps that were spent the greatest, the latest and those ahead of the clock are kept',
  async (t) => {
    let spent: SpentSteps = NONE_SPENT
    const spend = (step: number) => {
      spent = spendStep(spent, MIDDLE + step, (MIDDLE + step) * STEP)
    }
    spend(0)
    t.strictSame(spent, { lastUsedStep: MIDDLE, otherSteps: [] }, 'of a new one')
    for (let count = 1; count <= KEPT_STEPS + 5; count++) spend(count * 10)
    const last = (KEPT_STEPS + 5) * 10
    t.equal(spent.otherSteps.length, KEPT_STEPS)
    t.strictSame(
      [spent.lastUsedStep, ...spent.otherSteps.slice(0, 2)],
      [MIDDLE + last, MIDDLE + last - 10, MIDDLE + last - 20],
      'the latest first',
    )

    const ahead = [spent.lastUsedStep, ...spent.otherSteps]
    for (let count = 1; count <= 2 * KEPT_STEPS; count++) spend(-1000 + count)
    t.equal(spent.lastUsedStep, MIDDLE + last)
    t.equal(spent.otherSteps[0], MIDDLE - 1000 + 2 * KEPT_STEPS, 'the clock went back')
    const kept = [spent.lastUsedStep, ...spent.otherSteps]
    for (const step of ahead) t.ok(kept.includes(step))
    t.equal(kept.length, 1 + 2 * KEPT_STEPS)
    t.equal(new Set(kept).size, kept.length)
  },
)

t.test('the first step of all can be used, and then is spent', async (t) => {
  t.equal(matchingTimeStep(SECRET, hotp(SECRET, 0), 0, NONE_SPENT), 0)
  t.equal(matchingTimeStep(SECRET, hotp(SECRET, 0), 0, { ...NONE_SPENT, lastUsedStep: 0 }), null)
})

t.test('blanks and dashes do not matter, anything else does', async (t) => {
  const [code = ''] = HOTP
  const match = (text: string) => matchingTimeStep(SECRET, text, 0, NONE_SPENT)
  for (const text of [
    code,
    '755 224',
    ' 755224 ',
    '755-224',
    '7 5 5 2 2 4',
    '７５５２２４',
    '٧٥٥٢٢٤',
    '75522\u0664',
  ])
    t.equal(match(text), 0, text)
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
  t.equal(matchingTimeStep(SECRET, code, step * STEP, NONE_SPENT), step, code)
  t.equal(matchingTimeStep(SECRET, String(Number(code)), step * STEP, NONE_SPENT), null)
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
