// The attack: requests that nobody would think of, to every route: half right, hostile, with any token or none.
import t, { type Test } from 'tap'
import { onPostgres } from '../helpers/database.ts'
import { fuzz } from '../helpers/fuzz.ts'

t.setTimeout(1_800_000)

/** What another database may take amiss shows in fewer. */
const requests = onPostgres ? 1_500 : 5_000

/** What chance may leave out, and what is refused to everybody. */
const LEFT_OUT = onPostgres ? 10 : 5

/** A test that reaches nothing finds nothing: almost every operation was granted to somebody. */
function nearlyAllWasReached(t: Test, outcomes: Map<string, number>): void {
  const operationOf = (outcome: string) => outcome.slice(0, -4)
  const asked = new Set([...outcomes.keys()].map(operationOf))
  const granted = new Set([...outcomes.keys()].filter((outcome) => / 2\d\d$/.test(outcome)).map(operationOf))
  const refused = [...asked].filter((operation) => !granted.has(operation))
  t.ok(refused.length <= LEFT_OUT, `granted were ${granted.size} operations, and never: ${refused}`)
}

t.test('thousands of arbitrary requests are answered as the document says', async (t) => {
  nearlyAllWasReached(t, await fuzz(t, { requests, policy: 'required' }))
})

t.test('so are thousands where the second factor is optional', async (t) => {
  nearlyAllWasReached(t, await fuzz(t, { requests, policy: 'optional' }))
})
