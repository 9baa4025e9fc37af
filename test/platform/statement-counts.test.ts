import t from 'tap'
import { SCENARIOS, type Scenario, send } from '../helpers/people/scenarios.ts'
import { startService } from '../helpers/service/service.ts'
import { watchingStatements } from '../helpers/service/statements.ts'

/**
 * How often a request asks the database, and how often it waits for the disk: what the speed of a route comes down
 * to. A number here changes with a reason, and downwards without one.
 */
const COUNTS: Record<string, { statements: number; commits: number }> = {
  'POST /register': { statements: 6, commits: 1 },
  'POST /login': { statements: 8, commits: 2 },
  'POST /2fa/setup': { statements: 6, commits: 1 },
  // One of them remembers the network: only a full sign-in makes one the account's own, so no earlier step can.
  'POST /2fa/verify': { statements: 12, commits: 1 },
  'POST /token/refresh': { statements: 7, commits: 1 },
  'POST /token/introspect': { statements: 2, commits: 0 },
  'GET /me': { statements: 3, commits: 0 },
}

for (const [route, expected] of Object.entries(COUNTS))
  t.test(`${route}: ${expected.statements} statements, ${expected.commits} commits`, async (t) => {
    const service = await startService(t, { mail: true })
    const request = await (SCENARIOS[route] as Scenario).prepare(service, 'ada')
    const counted = { statements: 0, commits: 0 }
    await watchingStatements(
      service.databaseUrl,
      (text) => {
        if (text === 'commit') counted.commits += 1
        else if (!text.startsWith('begin')) counted.statements += 1
      },
      () => send(service, route, request),
    )
    t.strictSame(counted, expected)
  })
