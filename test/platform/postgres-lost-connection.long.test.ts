// The fault of postgres-lost-connection.test.ts, on every route.
import t from 'tap'
import { notOnPostgres } from '../helpers/database.ts'
import { loseEachConnection } from '../helpers/lost-connections.ts'
import { MORE_SCENARIOS, SCENARIOS } from '../helpers/scenarios.ts'

t.setTimeout(600_000)

const skip = notOnPostgres

for (const [route, scenario] of Object.entries({ ...SCENARIOS, ...MORE_SCENARIOS }))
  t.test(`${route}: a connection loses each answer once`, { skip }, (t) =>
    loseEachConnection(t, route, scenario, 'answer'),
  )
