// The attack: guessing the secret of a service client, or finding out which clients there are, by what a refusal says or
// by how much work it is.
import t from 'tap'
import { basic, change, newClient, oauthOutcome, postForm, type Shown } from '../helpers/people/clients.ts'
import { withoutRequestId } from '../helpers/requests/burst.ts'
import { type Answer, type Service, startService } from '../helpers/service/service.ts'
import { watchingStatements } from '../helpers/service/statements.ts'

const guess = (service: Service, shown: Shown, remoteAddress = '192.0.2.1'): Promise<Answer> =>
  service.post('/token', undefined, undefined, {
    payload: 'grant_type=client_credentials',
    headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: basic(shown) },
    remoteAddress,
  })

/** The statements and keyed hashes of some work, in their order. */
async function workOf(service: Service, work: () => Promise<unknown>): Promise<string[]> {
  const done: string[] = []
  const { keyedHash } = service.deps
  service.deps.keyedHash = (purpose, ...parts) => {
    done.push(`hash: ${purpose}`)
    return keyedHash(purpose, ...parts)
  }
  await watchingStatements(service.databaseUrl, (text) => void done.push(text), work)
  service.deps.keyedHash = keyedHash
  return done
}

t.test('a wrong secret, an unknown client and a disabled one are alike in answer and work', async (t) => {
  const service = await startService(t)
  const right = await newClient(service)
  const [disabled, deleted, other] = [
    await newClient(service),
    await newClient(service),
    await newClient(service),
  ]
  await change(service, disabled.id, 'disable')
  await change(service, deleted.id, 'delete')
  const refused: Record<string, Shown> = {
    'a wrong secret': { ...right, secret: 'x' },
    'the secret of another client': { ...right, secret: other.secret },
    'an unknown client': { ...right, id: `service_${crypto.randomUUID()}` },
    'a client that cannot be': { id: "' or 1=1; \0 令牌", secret: right.secret },
    'a disabled client': disabled,
    'a disabled client and a wrong secret': { ...disabled, secret: 'x' },
    'a deleted client': deleted,
  }
  const seen: [what: string, answer: string, work: string[]][] = []
  for (const [what, shown] of Object.entries(refused)) {
    let answer: Answer | undefined
    const work = await workOf(service, async () => {
      answer = await guess(service, shown, `198.51.${seen.length}.1`)
    })
    t.equal(answer && oauthOutcome(answer), '401 invalid_client', what)
    seen.push([what, JSON.stringify(answer && withoutRequestId(answer)), work])
  }
  const [, answer, work] = seen[0] ?? []
  t.ok(work && work.length >= 5, `${work?.length} steps`)
  for (const [what, otherAnswer, otherWork] of seen) {
    t.equal(otherAnswer, answer, what)
    t.strictSame(otherWork, work, what)
  }
})

t.test('guesses are counted for a client and a network, and the right secret is never paused', async (t) => {
  const service = await startService(t)
  const client = await newClient(service)
  const wrong = { ...client, secret: 'x' }
  for (let turn = 0; turn < 10; turn++) t.equal((await guess(service, wrong)).status, 401)
  const paused = await guess(service, wrong)
  t.equal(oauthOutcome(paused), '429 too_many_attempts')
  t.equal(paused.headers['retry-after'], '30')
  t.equal((await guess(service, client)).status, 200, 'the service itself goes on, also from that network')
  t.equal((await guess(service, wrong, '198.51.100.1')).status, 401, 'another network has its own count')
  t.equal((await guess(service, { id: 'service_none', secret: 'x' })).status, 401, 'and so has another name')

  const events = await service.db.selectFrom('audit_events').select(['event', 'outcome', 'method']).execute()
  const of = (event: string) => events.filter((row) => row.event === event)
  t.equal(of('client_secret_refused').length, 12)
  t.match(of('client_secret_refused')[0], { outcome: 'failure', method: client.id })
  t.equal(of('attempts_paused').length, 1)
  t.equal(
    of('client_secret_refused').filter(({ method }) => method === null).length,
    1,
    'no name of a stranger',
  )
})

t.test('a burst of guesses gets no more than ten looks', async (t) => {
  const service = await startService(t)
  const client = await newClient(service)
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => guess(service, { ...client, secret: 'x' })),
  )
  const looked = answers.filter(({ status }) => status === 401).length
  t.equal(looked, 10)
  t.equal(answers.filter(({ status }) => status === 429).length, 20)
})

t.test('a secret is kept as a hash, and an attacker with the database has none', async (t) => {
  const service = await startService(t)
  const client = await newClient(service)
  t.match(client.secret, /^keyturn_[0-9a-f]{32}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/, 'for scanners')
  const rows = await service.db.selectFrom('client_secrets').selectAll().execute()
  t.equal(rows.length, 1)
  t.notMatch(JSON.stringify(rows), client.secret.split('_')[2])
  t.equal((await guess(service, { ...client, secret: rows[0]?.secret_hash ?? '' })).status, 401)
  await postForm(service, '/token/introspect', { token: 'x' }, basic(client))
  t.notMatch(service.logLines.join('\n'), client.secret.split('_')[2])
})
