// The fault: the process is killed in the middle of a write, two hundred times. What was acknowledged is kept, what
// was used stays used, and no account is half made.
import t from 'tap'
import { killAgainAndAgain } from '../helpers/faults/kill.ts'

const KILLS = 200
/** Services side by side, each with a database of its own: a start takes longer than all the rest. */
const SERVICES = 2

t.setTimeout(1_800_000)

t.test(`killed ${KILLS} times during writes`, async (t) => {
  const services = Array.from({ length: SERVICES }, (_, index) =>
    killAgainAndAgain(t, `keyturn-${index}`, KILLS / SERVICES),
  )
  const outcomes = await Promise.all(services)
  const acknowledged = outcomes.reduce((sum, outcome) => sum + outcome.acknowledged, 0)
  const slowest = Math.max(...outcomes.map(({ slowestStart }) => slowestStart))
  t.comment(`${acknowledged} changes were acknowledged; the slowest start took ${slowest.toFixed(0)} ms`)
  t.ok(acknowledged > KILLS, 'there was something to lose')
})
