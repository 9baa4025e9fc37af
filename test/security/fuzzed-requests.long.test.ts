// The attack: requests that nobody would think of, to every route: half right, hostile, with any token or none.
import t from 'tap'
import { fuzz, fuzzSeed } from '../helpers/fuzz.ts'

t.setTimeout(1_500_000)

/** What no request here can have: the policy keeps the factor, and the mail with its token may not have come yet. */
const NEVER_GRANTED = ['DELETE /2fa', 'POST /password/reset']

t.test('ten thousand arbitrary requests are answered as the document says', async (t) => {
  const outcomes = await fuzz(t, 10_000, fuzzSeed(t))
  const granted = new Set([...outcomes.keys()].filter((outcome) => / 2..$/.test(outcome)).map(operationIn))
  for (const operation of new Set([...outcomes.keys()].map(operationIn)))
    if (!NEVER_GRANTED.includes(operation)) t.ok(granted.has(operation), `${operation} was reached`)
})

const operationIn = (outcome: string) => outcome.slice(0, -4)
