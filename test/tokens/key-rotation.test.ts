import { randomBytes } from 'node:crypto'
import { createLocalJWKSet, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { makeKeyRing } from '../../src/crypto/key-ring.ts'
import { makeSecretBox } from '../../src/crypto/secret-box.ts'
import { openDatabase } from '../../src/platform/database.ts'
import { migrateUp } from '../../src/platform/migrate.ts'
import { newSigningKey, openSigningKeys } from '../../src/tokens/signing-keys.ts'
import { headerOf, isAlive, refresh, signedInBy, signIn } from '../helpers/people/sessions.ts'
import { newDatabase } from '../helpers/service/database.ts'
import { type Enrolled, enrol, type Service, startService, testClock } from '../helpers/service/service.ts'

const DAY = 24 * 3600
const JWKS = '/.well-known/jwks.json'

interface Jwk {
  kid: string
  alg: string
}

const published = async (service: Service): Promise<string[]> =>
  (await service.get(JWKS)).body.keys.map(({ kid }: Jwk) => kid)
const stored = ({ db }: Service) => db.selectFrom('signing_keys').selectAll().orderBy('generation').execute()
const signerOf = (token: string) => headerOf(token).kid

/** Checks a token as another service does, with the key set that is published at this moment. */
async function isTrusted(service: Service, token: string): Promise<boolean> {
  const keys = createLocalJWKSet((await service.get(JWKS)).body)
  const currentDate = new Date(service.clock.now())
  return jwtVerify(token, keys, { currentDate }).then(
    () => true,
    () => false,
  )
}

/** A token of a new login, and the name of the key that signed it. */
async function newToken(service: Service, account: Enrolled): Promise<{ token: string; kid: unknown }> {
  const { accessToken: token } = await signIn(service, account)
  return { token, kid: signerOf(token) }
}

t.test('the next key stands in the key set for longer than a copy may live, before it signs', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const [first] = await published(service)
  const { kid: next } = await service.deps.signingKeys.rotate()
  const madeAt = service.clock.now()
  t.strictSame(await published(service), [first, next], 'it is published at once')

  const copiesLive = Number(
    /max-age=(\d+)/.exec(String((await service.get(JWKS)).headers['cache-control']))?.[1],
  )
  t.ok(copiesLive > 0)
  while ((await newToken(service, ada)).kid === first) t.ok(service.clock.now() < madeAt + 3600_000)
  t.ok(service.clock.now() - madeAt >= copiesLive * 1000, 'no copy is without it')
  t.equal((await newToken(service, ada)).kid, next)
})

t.test('tokens of the old key are good to their end; then the key goes for good', async (t) => {
  const service = await startService(t)
  const ada = await enrol(service)
  const [first] = await published(service)
  const { kid: next } = await service.deps.signingKeys.rotate()
  service.clock.advance(600 - 30 - 1)
  const last = await newToken(service, ada)
  t.equal(last.kid, first, 'the last second of the old key')
  service.clock.advance(1)
  t.equal((await newToken(service, ada)).kid, next)

  for (const seconds of [0, 200, 200, 168]) {
    service.clock.advance(seconds)
    await service.deps.signingKeys.maintain()
    t.ok(await isTrusted(service, last.token), 'elsewhere')
    t.ok(await isAlive(service, last.token), 'here')
  }
  service.clock.advance(1)
  t.notOk(await isAlive(service, last.token), 'its end')

  service.clock.advance(1200)
  await service.deps.signingKeys.maintain()
  t.strictSame(await published(service), [next])
  t.strictSame(
    (await stored(service)).map(({ id }) => id),
    [next],
    'the private key is deleted',
  )
  t.equal((await newToken(service, ada)).kid, next)
})

t.test('a key that is ninety days old has been followed by the next', async (t) => {
  const service = await startService(t)
  const { signingKeys } = service.deps
  const [first] = await published(service)
  service.clock.advance(90 * DAY - 601)
  await signingKeys.maintain()
  t.strictSame(await published(service), [first])
  service.clock.advance(1)
  for (let round = 1; round <= 3; round++) await signingKeys.maintain()
  t.equal((await published(service)).length, 2, 'one key is made, not one each round')
  t.equal(signingKeys.current().kid, first)
  service.clock.advance(600)
  t.equal(
    signingKeys.current().kid,
    (await published(service))[1],
    'it signs when the old one is ninety days old',
  )
})

t.test('a command for the next key while one is waiting makes no second', async (t) => {
  const { deps } = await startService(t)
  const { kid } = await deps.signingKeys.rotate()
  t.equal((await deps.signingKeys.rotate()).kid, kid)
  t.equal(deps.signingKeys.list().length, 2)
})

t.test('a process that has not heard of the new key yet takes its tokens', async (t) => {
  const service = await startService(t)
  const second = await startService(t, { databaseUrl: service.databaseUrl, clock: service.clock })
  const ada = await enrol(service)
  const { kid } = await service.deps.signingKeys.rotate()
  service.clock.advance(600)
  const { token, kid: signer } = await newToken(service, ada)
  t.equal(signer, kid)
  t.ok(await isAlive(second, token))
  t.ok((await published(second)).includes(kid))
})

t.test('another JWT_ALG makes the next key, and the tokens before it stay good', async (t) => {
  const clock = testClock()
  const databaseUrl = await newDatabase(t)
  const before = await startService(t, { databaseUrl, clock, environment: { JWT_ALG: 'ES256' } })
  const ada = await enrol(before)
  await before.close()

  const after = await startService(t, { databaseUrl, clock, environment: { JWT_ALG: 'EdDSA' } })
  t.strictSame(
    (await after.get(JWKS)).body.keys.map(({ alg }: Jwk) => alg),
    ['ES256', 'EdDSA'],
  )
  t.ok(await isAlive(after, ada.accessToken))
  clock.advance(569)
  const { accessToken } = signedInBy(await refresh(after, ada.refreshToken))
  t.equal(headerOf(accessToken).alg, 'ES256', 'for as long as verifiers may not know the new key')
  clock.advance(1)
  t.equal(headerOf((await newToken(after, ada)).token).alg, 'EdDSA')
  t.ok(await isAlive(after, accessToken))
  t.ok(await isTrusted(after, accessToken))
})

t.test('another JWT_ALG is not forgotten because a key of the old one is waiting', async (t) => {
  const clock = testClock()
  const databaseUrl = await newDatabase(t)
  const before = await startService(t, { databaseUrl, clock })
  await before.deps.signingKeys.rotate()
  await before.close()
  const after = await startService(t, { databaseUrl, clock, environment: { JWT_ALG: 'EdDSA' } })
  clock.advance(600)
  t.equal(after.deps.signingKeys.current().alg, 'EdDSA')
})

/** What any number of processes do on one database, each over its own connection. */
async function openTwenty(t: Test, databaseUrl: string, box: ReturnType<typeof makeSecretBox>) {
  const clock = testClock()
  return Promise.all(
    Array.from({ length: 20 }, async () => {
      const db = await openDatabase(databaseUrl)
      t.teardown(() => db.destroy())
      await migrateUp(db)
      return openSigningKeys({ db, box, clock, alg: 'ES256', tokenTtl: 600, logger: console })
    }),
  )
}

t.test('twenty that start at once make one key, and twenty that rotate at once one more', async (t) => {
  const box = makeSecretBox(makeKeyRing([randomBytes(32)]))
  const twenty = await openTwenty(t, await newDatabase(t), box)
  t.equal(new Set(twenty.map((keys) => keys.current().kid)).size, 1)
  t.ok(twenty.every((keys) => keys.list().length === 1))

  const next = await Promise.all(twenty.map((keys) => keys.rotate()))
  t.equal(new Set(next.map(({ kid }) => kid)).size, 1)
  t.ok(twenty.every((keys) => keys.list().length === 2))
})

t.test('the name of a key can be typed as an argument of a command', async (t) => {
  const box = makeSecretBox(makeKeyRing([randomBytes(32)]))
  // One name in 64 would begin with a hyphen.
  const names: string[] = []
  for (let generation = 0; generation < 1_000; generation += 1)
    names.push((await newSigningKey(box, { alg: 'EdDSA', generation, createdAt: 0 })).id)
  t.strictSame(
    names.filter((name) => name.startsWith('-')),
    [],
  )
})

t.test('while a pair of RSA keys is searched for, the event loop goes on', async (t) => {
  const box = makeSecretBox(makeKeyRing([randomBytes(32)]))
  let most = 0
  // More than once: the machine may have stopped this process for as long as the search took.
  for (let attempt = 0; attempt < 5 && most <= 1; attempt += 1) {
    let done = false
    const making = newSigningKey(box, { alg: 'RS256', generation: 1, createdAt: 0 }).finally(() => {
      done = true
    })
    let turns = 0
    for (; !done; turns += 1) await new Promise(setImmediate)
    t.match(JSON.parse((await making).public_jwk), { kty: 'RSA', alg: 'RS256' })
    most = Math.max(most, turns)
  }
  t.ok(most > 1, 'made at once, it would be one turn')
})
