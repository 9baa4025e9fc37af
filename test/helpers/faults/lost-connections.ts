import type { Test } from 'tap'
import { type Scenario, send } from '../people/scenarios.ts'
import { outcomeOf } from '../requests/burst.ts'
import { newDatabase } from '../service/database.ts'
import { startService } from '../service/service.ts'
import { type Loss, startCuttingProxy } from './cutting-proxy.ts'

/**
 * Sends a right request once for each statement that it makes, and the connection is lost there. What did not commit is
 * repeated, or answered with 503 and as good as before. What may have committed is answered with 503 and never
 * repeated: sent again, the same request succeeds or is refused for good, and never first the one and then the other.
 */
export async function loseEachConnection(
  t: Test,
  route: string,
  scenario: Scenario,
  loss: Loss,
): Promise<void> {
  const proxy = await startCuttingProxy(t, await newDatabase(t))
  const { environment = {} } = scenario
  const service = await startService(t, { mail: true, databaseUrl: proxy.url, environment })
  const once = async (request: Parameters<typeof send>[2]) => outcomeOf(await send(service, route, request))
  const right = String(scenario.status)
  const after = scenario.again ?? right

  for (let n = 1; ; n += 1) {
    const request = await scenario.prepare(service, `ada-${n}`)
    const statements = proxy.cutAt(n, loss)
    const outcome = await once(request)
    proxy.leaveAlone()
    if (statements.length < n) {
      t.equal(outcome, right)
      return t.comment(`${n - 1} statements`)
    }
    const statement = statements[n - 1] as string
    const where = `${n}: ${statement.slice(0, 60)}`
    if (statement === 'commit') t.equal(outcome, '503 unavailable', where)
    else t.ok([right, '503 unavailable'].includes(outcome), `${where}: ${outcome}`)

    // The last writes and the commit go together, and after that nothing is sent.
    const committed = statements.at(-1) === 'commit' && loss === 'answer'
    const second = await once(request)
    if (outcome === right) t.equal(second, after, 'it was done, and only once')
    else if (committed) t.ok([right, after].includes(second), `it was done, or has yet to be: ${second}`)
    else t.equal(second, right, 'it was not done, and can be')
    t.equal(await once(request), after, 'and then it is done')
    t.strictSame(await service.invariants.broken(), {})
  }
}
