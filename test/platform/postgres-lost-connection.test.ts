// The fault: the connection to PostgreSQL is lost in the middle of a request, wherever that is, also at its commit.
// A code is used or it is not; it is never both refused and usable, and never lost with an answer that was not a 503.
// (The other routes have their turn in postgres-lost-connection.long.test.ts.)
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startCuttingProxy } from '../helpers/faults/cutting-proxy.ts'
import { loseEachConnection } from '../helpers/faults/lost-connections.ts'
import { SCENARIOS, type Scenario } from '../helpers/people/scenarios.ts'
import { refresh } from '../helpers/people/sessions.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { isProblem } from '../helpers/requests/problems.ts'
import { newDatabase, notOnPostgres } from '../helpers/service/database.ts'
import { enrol, login, nextCode, startService } from '../helpers/service/service.ts'

const skip = notOnPostgres

for (const loss of ['statement', 'answer', 'backend'] as const)
  t.test(`POST /2fa/verify: a connection loses each ${loss} once`, { skip }, (t) =>
    loseEachConnection(t, 'POST /2fa/verify', SCENARIOS['POST /2fa/verify'] as Scenario, loss),
  )

t.test(
  'an answer that is lost at the commit leaves the code used, and the session is there',
  { skip },
  async (t) => {
    const proxy = await startCuttingProxy(t, await newDatabase(t))
    const service = await startService(t, { databaseUrl: proxy.url })
    const ada = await enrol(service)
    const sessions = async () => (await service.db.selectFrom('sessions').select('id').execute()).length
    const verify = async (mfaToken: string, code: string) => service.post('/2fa/verify', { code }, mfaToken)

    const mfaToken = await login(service)
    const statements = proxy.cutAt(Number.POSITIVE_INFINITY, 'answer')
    t.equal((await verify(mfaToken, nextCode(service, ada))).status, 200)
    proxy.leaveAlone()

    const [first, second] = [await login(service), await login(service)]
    const [code, before] = [nextCode(service, ada), await sessions()]
    proxy.cutAt(statements.indexOf('commit') + 1, 'answer')
    const answer = await verify(first, code)
    proxy.leaveAlone()
    isProblem(t, answer, 'unavailable')
    t.equal(answer.headers['retry-after'], '1')
    t.equal(await sessions(), before + 1, 'it was committed, once')
    t.equal(outcomeOf(await verify(first, code)), '401 invalid_token')
    t.equal(outcomeOf(await verify(second, code)), '422 invalid_code', 'the code is used')
  },
)

t.test(
  'a server that says nothing is given up in time, and used again when it speaks',
  { skip },
  async (t) => {
    const proxy = await startCuttingProxy(t, await newDatabase(t))
    const service = await startService(t, { databaseUrl: proxy.url })
    const { accessToken, refreshToken } = await enrol(service)
    proxy.freeze(true)
    const answers = await Promise.all([
      service.get('/me', accessToken),
      refresh(service, refreshToken),
      service.get('/readyz'),
    ])
    // They are there although the server still says nothing.
    for (const answer of answers) isProblem(t, answer, 'unavailable')
    proxy.freeze(false)
    await sleep(10)
    t.equal((await refresh(service, refreshToken)).status, 200)
    service.clock.advance(3)
    t.equal((await service.get('/readyz')).status, 200)
  },
)
