// The attack: requests that nobody would think of, to every route: half right, hostile, with any token or none.
import t from 'tap'
import { fuzz } from '../helpers/requests/fuzz.ts'

t.test('three hundred arbitrary requests are answered as the document says', async (t) => {
  await fuzz(t, { requests: 300, policy: 'required' })
})
