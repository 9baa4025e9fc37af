// The fault of postgres-lost-connection.test.ts, on every route.
import t from 'tap'
import { loseEachConnection } from '../helpers/faults/lost-connections.ts'
import { MORE_SCENARIOS, SCENARIOS } from '../helpers/people/scenarios.ts'
import { notOnPostgres } from '../helpers/service/database.ts'

t.setTimeout(1_800_000)

const skip = notOnPostgres

for (const [route, scenario] of Object.entries({ ...SCENARIOS, ...MORE_SCENARIOS }))
  t.test(`${route}: a connection loses each answer once`, { skip }, (t) =>
    loseEachConnection(t, route, scenario, 'answer'),
  )
