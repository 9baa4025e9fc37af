import t from 'tap'
import {
  isRotationDue,
  JWKS_MAX_AGE,
  PUBLISH_LEAD_MS,
  publishedKeysAt,
  ROTATION_AGE_MS,
  signingKeyAt,
} from '../../src/tokens/key-schedule.ts'

const SECOND = 1000
const DAY = 24 * 3600 * SECOND
const TOKEN_TTL = 600

const keysMadeAt = (...times: number[]) => times.map((createdAt) => ({ createdAt }))

t.test('the first key signs at once', async (t) => {
  const keys = keysMadeAt(5_000)
  t.equal(signingKeyAt(keys, 5_000), keys[0])
  t.equal(signingKeyAt(keys, 4_000), keys[0], 'also under a clock that is behind')
  t.equal(signingKeyAt([], 5_000), undefined)
})

t.test('the next key is published at once and signs when every copy of the key set has it', async (t) => {
  const keys = keysMadeAt(0, DAY)
  const [first, second] = keys
  t.ok(PUBLISH_LEAD_MS >= JWKS_MAX_AGE * SECOND)
  t.strictSame(publishedKeysAt(keys, DAY, TOKEN_TTL), keys)
  t.equal(signingKeyAt(keys, DAY + PUBLISH_LEAD_MS - 1), first)
  t.equal(signingKeyAt(keys, DAY + PUBLISH_LEAD_MS), second)
})

t.test('the old key is published until its last token is gone, and a margin longer', async (t) => {
  const keys = keysMadeAt(0, DAY)
  const lastTokenEnds = DAY + PUBLISH_LEAD_MS + TOKEN_TTL * SECOND
  t.equal(publishedKeysAt(keys, lastTokenEnds, TOKEN_TTL).length, 2)
  const dropped = lastTokenEnds + PUBLISH_LEAD_MS
  t.equal(publishedKeysAt(keys, dropped - 1, TOKEN_TTL).length, 2)
  t.strictSame(publishedKeysAt(keys, dropped, TOKEN_TTL), [keys[1]])
})

t.test('the next key is made so early that no key signs for longer than ninety days', async (t) => {
  t.equal(ROTATION_AGE_MS, 90 * DAY)
  t.ok(isRotationDue([], 0))
  const keys = keysMadeAt(0)
  const due = ROTATION_AGE_MS - PUBLISH_LEAD_MS
  t.notOk(isRotationDue(keys, due - 1))
  t.ok(isRotationDue(keys, due))
  t.notOk(isRotationDue(keysMadeAt(0, due), due), 'the newest counts')
})

t.test('however often keys are made, a token finds its key published for all of its life', async (t) => {
  for (const pauseSeconds of [0, 1, 60, 599, 600, 601, 1200, 86_400]) {
    const keys = keysMadeAt(...[0, 1, 2, 3].map((index) => index * pauseSeconds * SECOND))
    const faults: number[] = []
    const end = 4 * pauseSeconds * SECOND + 4 * PUBLISH_LEAD_MS
    for (let issued = 0; issued <= end; issued += Math.max(SECOND, end / 500)) {
      const signer = signingKeyAt(keys, issued)
      const published = (at: number) => publishedKeysAt(keys, at, TOKEN_TTL).includes(signer as never)
      if (!published(issued) || !published(issued + TOKEN_TTL * SECOND)) faults.push(issued)
    }
    t.strictSame(faults, [], `a key every ${pauseSeconds} s`)
  }
})

t.test('who has dropped the old keys agrees with who has not on the one that signs', async (t) => {
  const keys = keysMadeAt(0, DAY, 2 * DAY)
  for (const now of [DAY + PUBLISH_LEAD_MS * 3, 2 * DAY, 2 * DAY + PUBLISH_LEAD_MS, 3 * DAY])
    t.equal(signingKeyAt(publishedKeysAt(keys, now, TOKEN_TTL), now), signingKeyAt(keys, now))
})
