// The attack: a copy of a refresh token is used just after its owner has used it, with the owner's user agent, so that
// the thief gets the successor, too, and looks like a repeat after a lost answer. Or an older token of the chain is
// used after all of them were followed by others.
import t from 'tap'
import { deliver, enrolWithAddress, notices } from '../helpers/people/mail.ts'
import { isAlive, signedInBy } from '../helpers/people/sessions.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { type Answer, enrol, type Service, startService } from '../helpers/service/service.ts'

const HOME = '198.51.100.7'
const NEXT_DOOR = '198.51.100.99'
const ELSEWHERE = '203.0.113.66'
const OWNERS_AGENT = 'the owner’s app/1.0'
const REFUSED = '401 invalid_refresh_token'
const A_KEY = '0199f3a2-5c1e-4d3b-9a44-2f1f6a0c7be1'
const ANOTHER_KEY = '0199f3a2-5c1e-4d3b-9a44-2f1f6a0c7be2'

function refresh(service: Service, token: string, remoteAddress: string, key?: string): Promise<Answer> {
  const headers = { 'user-agent': OWNERS_AGENT, ...(key && { 'idempotency-key': key }) }
  return service.post('/token/refresh', { refresh_token: token }, undefined, { remoteAddress, headers })
}

async function eventsOf({ db }: Service, event: 'refresh_token_reused' | 'token_refresh_repeated') {
  return db
    .selectFrom('audit_events')
    .select(['event', 'outcome', 'ip', 'session_id', 'account_id', 'at'])
    .where('event', '=', event)
    .orderBy('id')
    .execute()
}

t.test('a thief who follows each refresh of the owner is thrown out at the first repeat', async (t) => {
  const service = await startService(t, { mail: true })
  const ada = await enrolWithAddress(service)
  const stolen = ada.refreshToken
  service.clock.advance(590)
  const owner = signedInBy(await refresh(service, stolen, HOME))
  service.clock.advance(5)

  const outcome = outcomeOf(await refresh(service, stolen, ELSEWHERE))
  t.equal(outcome, REFUSED)
  t.notOk(await isAlive(service, owner.accessToken), 'the session has ended')
  t.equal(outcomeOf(await refresh(service, owner.refreshToken, HOME)), REFUSED)
  t.match(await eventsOf(service, 'refresh_token_reused'), [
    { outcome: 'failure', ip: ELSEWHERE, session_id: owner.sessionId, account_id: ada.id },
  ])
  t.match(notices(await deliver(service)), ['a session was ended for safety → ada@example.com'])
})

t.test('nor does it help a thief to come first: the owner’s repeat ends the session', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const thief = signedInBy(await refresh(service, ada.refreshToken, ELSEWHERE, ANOTHER_KEY))
  t.equal(outcomeOf(await refresh(service, ada.refreshToken, HOME, A_KEY)), REFUSED)
  t.notOk(await isAlive(service, thief.accessToken))
})

t.test('a thief in the owner’s own network is answered, recorded and shown to the owner', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const owner = signedInBy(await refresh(service, ada.refreshToken, HOME))
  service.clock.advance(60)
  const repeated = await refresh(service, ada.refreshToken, NEXT_DOOR)
  t.equal(repeated.body.refresh_token, owner.refreshToken)
  const { body } = await service.get('/sessions', owner.accessToken)
  t.match(body.sessions, [
    { id: owner.sessionId, ip: HOME, refresh_repeated_at: new Date(service.clock.now()).toISOString() },
  ])
  t.match(await eventsOf(service, 'token_refresh_repeated'), [
    {
      outcome: 'success',
      ip: NEXT_DOOR,
      session_id: owner.sessionId,
      account_id: ada.id,
      at: service.clock.now(),
    },
  ])
})

t.test(
  'from the same network a repeat is answered for a minute, and ends the session after it',
  async (t) => {
    const service = await startService(t)
    const [ada, grace] = [await enrol(service), await enrol(service, 'grace')]
    const first = await refresh(service, ada.refreshToken, HOME)
    await refresh(service, grace.refreshToken, HOME)
    service.clock.advance(60)
    const repeated = await refresh(service, ada.refreshToken, HOME)
    t.equal(repeated.body.refresh_token, first.body.refresh_token)
    service.clock.advance(0.001)
    t.equal(outcomeOf(await refresh(service, grace.refreshToken, HOME)), REFUSED)
    t.notOk(await isAlive(service, grace.accessToken))
  },
)

t.test('with the key of the first use a repeat is answered at any time, from anywhere', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const first = await refresh(service, ada.refreshToken, HOME, A_KEY)
  for (const seconds of [1, 3600, 20 * 24 * 3600]) {
    service.clock.advance(seconds)
    const repeated = await refresh(service, ada.refreshToken, ELSEWHERE, A_KEY)
    t.equal(repeated.status, 200, `${seconds} s later`)
    t.equal(repeated.body.refresh_token, first.body.refresh_token)
  }
  t.equal((await eventsOf(service, 'token_refresh_repeated')).length, 1, 'the first one is an event')
  t.equal((await refresh(service, first.body.refresh_token, HOME)).status, 200, 'the session goes on')
})

for (const [words, firstKey, repeatedKey] of [
  ['another key', A_KEY, ANOTHER_KEY],
  ['no key', A_KEY, undefined],
  ['a key, where the first use had none', undefined, A_KEY],
] as const)
  t.test(`a late repeat with ${words} ends the session`, async (t) => {
    const service = await startService(t)
    const ada = await enrol(service)
    const first = signedInBy(await refresh(service, ada.refreshToken, HOME, firstKey))
    service.clock.advance(61)
    t.equal(outcomeOf(await refresh(service, ada.refreshToken, HOME, repeatedKey)), REFUSED)
    t.notOk(await isAlive(service, first.accessToken))
  })

t.test('a key of one token is none of the next: it answers its own repeat alone', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const { body } = await refresh(service, ada.refreshToken, HOME, A_KEY)
  await refresh(service, body.refresh_token, HOME, A_KEY)
  const rows = await service.db.selectFrom('refresh_tokens').select('idempotency_key_hash').execute()
  const hashes = rows.map((row) => row.idempotency_key_hash).filter((hash) => hash !== null)
  t.equal(new Set(hashes).size, 2, 'it is stored under a hash, another one for each token')
  t.notOk(hashes.includes(A_KEY))
})

t.test('four tokens of a chain whose successors were used are not answered, key or not', async (t) => {
  const chain = async (service: Service, name: string) => {
    const { refreshToken } = await enrol(service, name)
    const tokens = [refreshToken]
    for (let index = 0; index < 4; index++) {
      const { body } = await refresh(service, tokens.at(-1) as string, HOME, A_KEY)
      tokens.push(body.refresh_token)
    }
    return tokens
  }
  const service = await startService(t)
  for (let generation = 0; generation < 3; generation++) {
    const tokens = await chain(service, `owner${generation}`)
    service.clock.advance(3)
    t.equal(outcomeOf(await refresh(service, tokens[generation] as string, HOME, A_KEY)), REFUSED)
    t.equal(outcomeOf(await refresh(service, tokens.at(-1) as string, HOME)), REFUSED, 'the session is over')
  }
  const tokens = await chain(service, 'last')
  const repeated = await refresh(service, tokens[3] as string, HOME)
  t.equal(repeated.body.refresh_token, tokens[4], 'the one before the unused one is answered')
})

t.test('a key that could be guessed is refused and uses nothing up', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  for (const key of ['1', 'x'.repeat(15), 'x'.repeat(256)])
    t.equal(outcomeOf(await refresh(service, ada.refreshToken, HOME, key)), '400 validation_failed')
  t.equal((await refresh(service, ada.refreshToken, HOME, 'x'.repeat(255))).status, 200)
})
