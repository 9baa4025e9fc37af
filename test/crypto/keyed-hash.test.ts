import { createHmac, randomBytes } from 'node:crypto'
import t from 'tap'
import { deriveKey } from '../../src/crypto/key-ring.ts'
import { makeKeyedHash, newHashKey } from '../../src/crypto/keyed-hash.ts'

/** Stored hashes of codes and tokens can be found again, and be neither guessed nor confused with one another. */

const KEY = randomBytes(32)
const hash = makeKeyedHash(KEY)

t.test('the same parts give the same hash, in another process too', async (t) => {
  t.equal(hash('refresh token', 'abc'), hash('refresh token', 'abc'))
  t.equal(hash('refresh token', 'abc'), makeKeyedHash(Buffer.from(KEY))('refresh token', 'abc'))
  t.match(hash('refresh token', 'abc'), /^[A-Za-z0-9_-]{43}$/)
})

t.test('it is HMAC-SHA-256 under a key of the purpose', async (t) => {
  const expected = createHmac('sha256', deriveKey(KEY, 'refresh token')).update('["abc"]').digest('base64url')
  t.equal(hash('refresh token', 'abc'), expected)
})

t.test('another key, purpose or text gives another hash', async (t) => {
  const hashes = [
    hash('refresh token', 'abc'),
    hash('recovery code', 'abc'),
    hash('sign-in subject', 'abc'),
    hash('refresh token', 'abd'),
    hash('refresh token', 'ABC'),
    hash('refresh token', ''),
    hash('refresh token'),
    makeKeyedHash(newHashKey())('refresh token', 'abc'),
  ]
  t.equal(new Set(hashes).size, hashes.length)
})

t.test('parts cannot be shifted from one to the other', async (t) => {
  const hashes = [
    hash('recovery code', 'a', 'bc'),
    hash('recovery code', 'ab', 'c'),
    hash('recovery code', 'abc'),
    hash('recovery code', 'abc', ''),
    hash('recovery code', '', 'abc'),
    hash('recovery code', 'a","bc'),
    hash('recovery code', 'a\0bc'),
  ]
  t.equal(new Set(hashes).size, hashes.length)
})
