import t from 'tap'
import { newOpaqueToken } from '../../src/crypto/codes.ts'

t.test('a token has 256 random bits, and each is another', async (t) => {
  const sample = 2000
  const tokens = Array.from({ length: sample }, newOpaqueToken)
  t.equal(new Set(tokens).size, sample)
  const ones = new Array(256).fill(0)
  for (const token of tokens) {
    const bytes = Buffer.from(token, 'base64url')
    t.equal(bytes.length, 32)
    for (let bit = 0; bit < 256; bit += 1) ones[bit] += ((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1
  }
  // Six deviations of a fair coin: by chance once in two million runs.
  const furthest = Math.max(...ones.map((count) => Math.abs(count - sample / 2)))
  t.ok(furthest < 6 * Math.sqrt(sample / 4), `every bit is set half of the time, but for ${furthest}`)
})
