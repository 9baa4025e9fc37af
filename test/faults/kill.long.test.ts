// The fault: the process is killed in the middle of a write, and two hundred services with it. What was acknowledged is
// kept, what was used stays used, and no account is half made.
import t from 'tap'
import { killAgainAndAgain } from '../helpers/faults/kill.ts'

t.setTimeout(1_800_000)

for (const [title, kills, services] of [
  ['killed 20 times during writes', 20, 1],
  // A start takes longer than all the rest.
  ['as a plugin four times in one app, killed 45 times during writes', 45, 4],
] as const)
  t.test(title, async (t) => {
    const { acknowledged, slowestStart } = await killAgainAndAgain(t, kills, services)
    t.comment(
      `${acknowledged} changes were acknowledged; the slowest start took ${slowestStart.toFixed(0)} ms`,
    )
    t.ok(acknowledged > kills * services, 'there was something to lose')
  })
