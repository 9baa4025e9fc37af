// The attack: who has read a signing key makes access tokens of anybody. Revoking the key is the answer to that: it
// leaves the key set, and nothing that it signed is believed any more, however often it was believed before.
import { CompactSign, createLocalJWKSet, importPKCS8, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { revokeSigningKey } from '../../src/tokens/revoke-key.ts'
import { claimsOf, headerOf, isAlive, refresh, signedInBy, signIn } from '../helpers/people/sessions.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { type Enrolled, enrol, type Service, startService } from '../helpers/service/service.ts'

const JWKS = '/.well-known/jwks.json'
const LEAD_SECONDS = 600

const published = async (service: Service): Promise<string[]> =>
  (await service.get(JWKS)).body.keys.map(({ kid }: { kid: string }) => kid)
const revoke = ({ deps }: Service, kid: string) => revokeSigningKey({ ...deps, alg: deps.config.jwtAlg }, kid)
const kidOf = (token: string) => String(headerOf(token).kid)

/** Another process on the same database. */
const replicaOf = (t: Test, { databaseUrl, clock }: Service) => startService(t, { databaseUrl, clock })

/** What the thief has: a way to sign whatever they like under the key that signs now. */
async function steal({
  deps,
}: Service): Promise<{ kid: string; forge(token: string, typ?: string): Promise<string> }> {
  const { kid, alg, privateKeyPem } = deps.signingKeys.current()
  const key = await importPKCS8(privateKeyPem, alg)
  return {
    kid,
    forge: (token, typ = 'at+jwt') =>
      new CompactSign(Buffer.from(JSON.stringify({ ...claimsOf(token), jti: 'forged' })))
        .setProtectedHeader({ alg, kid, typ })
        .sign(key),
  }
}

/** The three places that believe a token or do not: a route, introspection, another service with the key set. */
async function believedBy(service: Service, token: string, asker: string): Promise<string[]> {
  const { body } = await service.post('/token/introspect', { token }, asker)
  const keys = createLocalJWKSet((await service.get(JWKS)).body)
  const offline = jwtVerify(token, keys, { currentDate: new Date(service.clock.now()) })
  return [
    ...((await isAlive(service, token)) ? ['route'] : []),
    ...(body.active ? ['introspection'] : []),
    ...(await offline.then(
      () => ['key set'],
      () => [],
    )),
  ]
}

t.test(
  'what a revoked key signed is believed nowhere, remembered or not, and the next one signs',
  async (t) => {
    const service = await startService(t)
    const ada = await enrol(service)
    const leaked = await steal(service)
    const [forged, unseen] = await Promise.all([leaked.forge(ada.accessToken), leaked.forge(ada.accessToken)])
    t.strictSame(await believedBy(service, forged, ada.accessToken), ['route', 'introspection', 'key set'])

    const next = await revoke(service, leaked.kid)
    await service.deps.signingKeys.maintain()
    const mine = signedInBy(await refresh(service, ada.refreshToken)).accessToken
    t.equal(kidOf(mine), next?.kid, 'the session goes on under the next key')
    t.strictSame(await published(service), [next?.kid], 'which was made at once')
    for (const token of [forged, unseen, ada.accessToken])
      t.strictSame(await believedBy(service, token, mine), [])
    t.strictSame(await believedBy(service, mine, mine), ['route', 'introspection', 'key set'])
    const rows = await service.db.selectFrom('signing_keys').select('id').execute()
    t.strictSame(rows, [{ id: next?.kid }], 'the private key is deleted')
  },
)

t.test('what the key signs changes no account: that takes a token under a key of its own', async (t) => {
  const service = await startService(t)
  const { accessToken, accountToken } = await enrol(service)
  const leaked = await steal(service)
  const forged = await leaked.forge(accessToken)
  t.ok(await isAlive(service, forged), 'it is believed')
  t.equal(outcomeOf(await service.delete('/me', forged)), '401 insufficient_user_authentication')
  for (const typ of ['at+jwt', 'account+jwt'])
    t.equal(
      outcomeOf(await service.delete('/me', await leaked.forge(accountToken, typ))),
      '401 invalid_token',
      typ,
    )
})

t.test('every other process learns of it with its next look at the keys', async (t) => {
  const service = await startService(t)
  const second = await replicaOf(t, service)
  const ada = await enrol(service)
  const leaked = await steal(service)
  const forged = await leaked.forge(ada.accessToken)
  t.ok(await isAlive(second, forged))

  const next = await revoke(service, leaked.kid)
  await second.deps.signingKeys.maintain()
  const { accessToken } = signedInBy(await refresh(second, ada.refreshToken))
  t.equal(kidOf(accessToken), next?.kid)
  t.strictSame(await believedBy(second, forged, accessToken), [])
  t.strictSame(await published(second), [next?.kid])
})

/** Whose turn it is when one of several keys is revoked. */
interface Turn {
  name: string
  /** Keys that are made before, and how many seconds pass after each. */
  made: number[]
  /** Which one is revoked. */
  revoked: number
  /** Which one signs from now on; -1 for one that is made now. */
  signs: number
}

const TURNS: Turn[] = [
  { name: 'the only key', made: [0], revoked: 0, signs: -1 },
  { name: 'the key that signs, with the next one waiting', made: [0, 5], revoked: 0, signs: 1 },
  {
    name: 'the key that signs, with the one before still published',
    made: [0, LEAD_SECONDS],
    revoked: 1,
    signs: -1,
  },
  {
    name: 'the key that signs, between the one before and the next',
    made: [0, LEAD_SECONDS, 5],
    revoked: 1,
    signs: 2,
  },
  { name: 'the key before the one that signs', made: [0, LEAD_SECONDS], revoked: 0, signs: 1 },
  { name: 'the key that waits', made: [0, 5], revoked: 1, signs: 0 },
]

for (const { name, made, revoked, signs } of TURNS)
  t.test(`${name} is revoked: the right one signs at once, and one day later still`, async (t) => {
    const service = await startService(t)
    const ada = await enrol(service)
    const { signingKeys } = service.deps
    for (const [index, seconds] of made.entries()) {
      if (index > 0) await signingKeys.rotate()
      service.clock.advance(seconds)
    }
    const before = await published(service)
    t.equal(before.length, made.length)
    await revoke(service, before[revoked] as string)
    await signingKeys.maintain()

    const after = await published(service)
    t.notOk(after.includes(before[revoked] as string))
    const { accessToken } = await signIn(service, ada)
    t.equal(kidOf(accessToken), signs < 0 ? after.at(-1) : before[signs])
    t.equal(before.includes(kidOf(accessToken)), signs >= 0)
    t.ok(await isAlive(service, accessToken))
    service.clock.advance(24 * 3600)
    await signingKeys.maintain()
    t.equal(kidOf((await signIn(service, ada)).accessToken), after.at(-1), 'the newest, by then')
  })

t.test('a key that is not there is not revoked, and nothing is made', async (t) => {
  const service = await startService(t)
  const before = await published(service)
  for (const kid of ['', 'nobody', `${before[0]} `]) t.equal(await revoke(service, kid), undefined)
  await service.deps.signingKeys.maintain()
  t.strictSame(await published(service), before)
})

t.test('all who revoke at once leave one key that signs, and no two of one generation', async (t) => {
  const service = await startService(t)
  const ada: Enrolled = await enrol(service)
  const replicas = [service, await replicaOf(t, service), await replicaOf(t, service)]
  await service.deps.signingKeys.rotate()
  const [first = '', waiting = ''] = await published(service)
  await Promise.all([
    ...replicas.map((replica) => revoke(replica, first)),
    ...replicas.map((replica) => revoke(replica, waiting)),
    replicas[1]?.deps.signingKeys.rotate(),
  ])
  for (const replica of replicas) await replica.deps.signingKeys.maintain()
  const left = await published(service)
  t.ok(left.length > 0)
  for (const kid of [first, waiting]) t.notOk(left.includes(kid))
  for (const replica of replicas) t.strictSame(await published(replica), left)
  t.ok(left.includes(kidOf((await signIn(service, ada)).accessToken)))
})
