// The fault: a statement fails in the middle of a request, whichever it is. Nobody is let in, nothing is half done, the
// log says so, and the same request is right again as soon as the database is. Here what is good once; the other routes
// have their turn in nth-call.long.test.ts.
import t from 'tap'
import { failEachCall } from '../helpers/faults/nth-call.ts'
import { SCENARIOS, type Scenario } from '../helpers/people/scenarios.ts'

for (const route of ['POST /2fa/verify', 'POST /token/refresh'])
  t.test(`${route}: each statement fails once`, (t) => failEachCall(t, route, SCENARIOS[route] as Scenario))
