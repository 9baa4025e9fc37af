// The attack: a stolen refresh token is used at the same moment as its owner uses it, so that both hold a
// living one afterwards and nobody notices. One session may have one living refresh token, however many ask at
// once and of however many processes.
import t from 'tap'
import { type Db, openDatabase } from '../../src/platform/database.ts'
import { claimsOf, refresh } from '../helpers/people/sessions.ts'
import { sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { burst, outcomeOf, tally } from '../helpers/requests/burst.ts'
import { enrol, startService } from '../helpers/service/service.ts'

async function livingTokens(db: Db, sessionId: string): Promise<number> {
  const tokens = db.selectFrom('refresh_tokens').where('session_id', '=', sessionId)
  return (await tokens.where('rotated_at', 'is', null).selectAll().execute()).length
}

t.test('fifty refreshes of one token at once over two processes leave one living successor', async (t) => {
  const environment = await sharedEnvironment(t)
  const processes = await Promise.all([startProcess(t, environment), startProcess(t, environment)])
  const db = await openDatabase(environment.DATABASE_URL as string)
  t.teardown(() => db.destroy())
  const [first, second] = processes
  const { refreshToken, accessToken } = await enrol(first)
  const { sid } = claimsOf(accessToken)

  let token = refreshToken
  for (const round of [1, 2, 3]) {
    const answers = await burst(50, (index) => refresh(index % 2 ? first : second, token))
    t.strictSame(tally(answers), { 200: 50 }, `round ${round}`)
    const successors = new Set(answers.map(({ body }) => body.refresh_token))
    t.equal(successors.size, 1, 'all have the same successor')
    t.equal(await livingTokens(db, sid), 1, 'one token lives')
    token = [...successors][0]
  }
  t.equal(outcomeOf(await refresh(second, token)), '200', 'the successor works')
})

t.test('two that go on from one token share one chain until one of them falls behind', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const { sid } = claimsOf(ada.accessToken)
  const owner = (await refresh(service, ada.refreshToken)).body
  const thief = (await refresh(service, ada.refreshToken)).body
  t.equal(thief.refresh_token, owner.refresh_token)
  t.equal(await livingTokens(service.db, sid), 1)

  service.clock.advance(300)
  const next = (await refresh(service, owner.refresh_token)).body
  service.clock.advance(300)
  t.equal(outcomeOf(await refresh(service, thief.refresh_token)), '401 invalid_refresh_token')
  t.equal(
    outcomeOf(await refresh(service, next.refresh_token)),
    '401 invalid_refresh_token',
    'the session is over',
  )
})
