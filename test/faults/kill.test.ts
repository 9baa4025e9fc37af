// The fault: the process is killed in the middle of a write. What was acknowledged is kept, what was used stays used.
// Two hundred services in kill.long.test.ts.
import t from 'tap'
import { killAgainAndAgain } from '../helpers/faults/kill.ts'

t.test('killed three times during writes', async (t) => {
  const { acknowledged } = await killAgainAndAgain(t, 3)
  t.comment(`${acknowledged} changes were acknowledged`)
})
