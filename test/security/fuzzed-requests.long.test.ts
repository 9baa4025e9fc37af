// The attack: requests that nobody would think of, to every route: half right, hostile, with any token or none.
import t, { type Test } from 'tap'
import { fuzz } from '../helpers/fuzz.ts'

t.setTimeout(1_800_000)

/** What no request can have here: there may be no token of a mail yet, and a required factor stays. */
const NEVER_GRANTED = {
  required: ['POST /password/reset', 'DELETE /2fa'],
  optional: ['POST /password/reset'],
}

/** A test that reaches nothing finds nothing: every operation was granted to somebody. */
function everythingWasReached(t: Test, outcomes: Map<string, number>, except: readonly string[]): void {
  const operationOf = (outcome: string) => outcome.slice(0, -4)
  const granted = new Set([...outcomes.keys()].filter((outcome) => / 2\d\d$/.test(outcome)).map(operationOf))
  for (const operation of new Set([...outcomes.keys()].map(operationOf)))
    if (!except.includes(operation)) t.ok(granted.has(operation), `${operation} was granted`)
}

t.test('five thousand arbitrary requests are answered as the document says', async (t) => {
  const outcomes = await fuzz(t, { requests: 5_000, policy: 'required' })
  everythingWasReached(t, outcomes, NEVER_GRANTED.required)
})

t.test('so are five thousand where the second factor is optional', async (t) => {
  const outcomes = await fuzz(t, { requests: 5_000, policy: 'optional' })
  everythingWasReached(t, outcomes, NEVER_GRANTED.optional)
})
