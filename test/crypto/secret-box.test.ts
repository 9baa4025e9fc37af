import { randomBytes } from 'node:crypto'
import t from 'tap'
import { makeKeyRing } from '../../src/crypto/key-ring.ts'
import { makeSecretBox } from '../../src/crypto/secret-box.ts'

/** Who has a copy of the database alone learns no secret, and who can write to it cannot move one or make one. */

const OLD = randomBytes(32)
const NEW = randomBytes(48)
const box = makeSecretBox(makeKeyRing([OLD]))
const SECRET = Buffer.from('twenty bytes of seed')
const PLACE = 'totp_factors:account:factor'
const refused = { name: 'UnsealError' }

t.test('what was sealed opens in its place', async (t) => {
  for (const plaintext of [SECRET, Buffer.alloc(0), randomBytes(5000)])
    t.strictSame(box.open(box.seal(plaintext, PLACE), PLACE), plaintext)
})

t.test('it tells nothing, and is never the same twice', async (t) => {
  const sealed = Array.from({ length: 100 }, () => box.seal(SECRET, PLACE))
  t.equal(new Set(sealed).size, 100)
  for (const text of sealed) {
    t.notMatch(text, SECRET.toString('base64url').slice(0, 8))
    t.match(text, /^[0-9a-f]{8}\.[A-Za-z0-9_-]+$/)
  }
})

t.test('in another place it does not open', async (t) => {
  const sealed = box.seal(SECRET, PLACE)
  for (const place of ['totp_factors:other:factor', 'totp_factors:account:other', '', `${PLACE} `])
    t.throws(() => box.open(sealed, place), refused, place)
})

t.test('with any bit of it changed it does not open', async (t) => {
  const [id = '', encoded = ''] = box.seal(SECRET, PLACE).split('.')
  const bytes = Buffer.from(encoded, 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
    const text = `${id}.${changed.toString('base64url')}`
    if (!throwsUnsealError(text)) return t.fail(`bit ${bit} does not matter`)
  }
  t.pass(`none of ${bytes.length * 8} bits`)
})

t.test('cut off, empty or foreign it does not open', async (t) => {
  const sealed = box.seal(SECRET, PLACE)
  const [id, encoded = ''] = sealed.split('.')
  for (let length = 0; length < sealed.length - 1; length++)
    if (!throwsUnsealError(sealed.slice(0, length))) return t.fail(`its first ${length} characters open`)
  for (const text of [
    '',
    '.',
    `${id}.`,
    encoded,
    `.${encoded}`,
    `${id}.${encoded}.${encoded}`,
    'a.b',
    `${sealed}AAAA`,
  ])
    t.throws(() => box.open(text, PLACE), refused, text.slice(0, 20))
})

t.test('of several keys the first seals and every one opens', async (t) => {
  const rotated = makeSecretBox(makeKeyRing([NEW, OLD]))
  const sealedBefore = box.seal(SECRET, PLACE)
  const sealedNow = rotated.seal(SECRET, PLACE)
  t.strictSame(rotated.open(sealedBefore, PLACE), SECRET)
  t.strictSame(rotated.open(sealedNow, PLACE), SECRET)
  t.strictSame(makeSecretBox(makeKeyRing([NEW])).open(sealedNow, PLACE), SECRET)
  t.throws(() => box.open(sealedNow, PLACE), { ...refused, message: /which SECRET_KEY does not hold/ })
})

t.test('the name of a key tells nothing of it, and each purpose has a key of its own', async (t) => {
  const { primary } = makeKeyRing([OLD])
  t.match(primary.id, /^[0-9a-f]{8}$/)
  t.notMatch(OLD.toString('hex'), primary.id)
  t.notSame(primary.derive('secret box'), primary.derive('mfa token'))
  t.strictSame(primary.derive('secret box'), makeKeyRing([OLD]).primary.derive('secret box'))
  t.notSame(primary.derive('secret box'), makeKeyRing([NEW]).primary.derive('secret box'))
})

t.test('a key ring without a key, or with a short one, is refused', async (t) => {
  t.throws(() => makeKeyRing([]), RangeError)
  t.throws(() => makeKeyRing([OLD, randomBytes(31)]), RangeError)
})

function throwsUnsealError(text: string): boolean {
  try {
    box.open(text, PLACE)
    return false
  } catch (error) {
    return (error as Error).name === refused.name
  }
}
