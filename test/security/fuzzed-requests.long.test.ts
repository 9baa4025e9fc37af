// The attack: requests that nobody would think of, to every route: half right, hostile, with any token or none.
import t, { type Test } from 'tap'
import { fuzz } from '../helpers/fuzz.ts'

t.setTimeout(1_800_000)

/** What chance may leave out, and what is refused to everybody. */
const LEFT_OUT = 5

/** A test that reaches nothing finds nothing: almost every operation was granted to somebody. */
function nearlyAllWasReached(t: Test, outcomes: Map<string, number>): void {
  const operationOf = (outcome: string) => outcome.slice(0, -4)
  const asked = new Set([...outcomes.keys()].map(operationOf))
  const granted = new Set([...outcomes.keys()].filter((outcome) => / 2\d\d$/.test(outcome)).map(operationOf))
  const refused = [...asked].filter((operation) => !granted.has(operation))
  t.ok(refused.length <= LEFT_OUT, `granted were ${granted.size} operations, and never: ${refused}`)
}

t.test('five thousand arbitrary requests are answered as the document says', async (t) => {
  nearlyAllWasReached(t, await fuzz(t, { requests: 5_000, policy: 'required' }))
})

t.test('so are five thousand where the second factor is optional', async (t) => {
  nearlyAllWasReached(t, await fuzz(t, { requests: 5_000, policy: 'optional' }))
})
