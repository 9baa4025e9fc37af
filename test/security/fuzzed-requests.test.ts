// The attack: requests that nobody would think of, to every route: half right, hostile, with any token or none.
import t from 'tap'
import { fuzz, fuzzSeed } from '../helpers/fuzz.ts'

t.test('three hundred arbitrary requests are answered as the document says', async (t) => {
  await fuzz(t, 300, fuzzSeed(t))
})
