// SECRET_KEY changes while replicas serve, and a signing key is made under the new one before all of them hold it.
import { randomBytes } from 'node:crypto'
import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import t from 'tap'
import { makeKeyRing } from '../../src/crypto/key-ring.ts'
import { makeSecretBox } from '../../src/crypto/secret-box.ts'
import { revokeSigningKey } from '../../src/tokens/revoke-key.ts'
import { claimsOf, headerOf, isAlive, refresh, signedInBy, signIn } from '../helpers/people/sessions.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { enrol, login, nextCode, PASSWORD, type Service, startService } from '../helpers/service/service.ts'

const JWKS = '/.well-known/jwks.json'
const [OLD, NEW] = [randomBytes(32), randomBytes(32)]
const newBox = makeSecretBox(makeKeyRing([NEW, OLD]))

const published = async (service: Service): Promise<string[]> =>
  (await service.get(JWKS)).body.keys.map(({ kid }: { kid: string }) => kid)
const toldOf = ({ logLines }: Service) =>
  logLines.filter(
    (line) => line.includes('"level":"error"') && line.includes('does not open the signing key'),
  )

t.test(
  'a key is revoked under a SECRET_KEY that the service does not hold: what it signed is refused',
  async (t) => {
    const before = await startService(t, { rootKeys: [OLD] })
    const { databaseUrl, clock, db, deps } = before
    const ada = await enrol(before)
    clock.advance(30)
    const { kid } = deps.signingKeys.current()
    const next = await revokeSigningKey({ db, box: newBox, clock, alg: 'ES256' }, kid)
    for (let round = 1; round <= 3; round += 1) await deps.signingKeys.maintain()

    t.equal(outcomeOf(await before.get('/me', ada.accessToken)), '401 invalid_token')
    t.strictSame(await published(before), [], 'the revoked key is gone, and the next one cannot be checked')
    t.equal(outcomeOf(await refresh(before, ada.refreshToken)), '503 unavailable', 'it signs nothing')
    // Whatever would begin a session leaves all as it was, and can be sent again as often as one likes.
    const kept = async () => [
      await db.selectFrom('sessions').selectAll().execute(),
      await db.selectFrom('recovery_codes').selectAll().execute(),
      await db.selectFrom('accounts').selectAll().execute(),
    ]
    const all = await kept()
    const [recoveryCode] = ada.recoveryCodes
    const mfaToken = await login(before)
    const unanswered = async (url: string, body: object, token?: string) =>
      t.equal(outcomeOf(await before.post(url, body, token)), '503 unavailable', url)
    for (let time = 0; time < 11; time += 1)
      await unanswered('/login', { username: 'ada', password: PASSWORD, recovery_code: recoveryCode })
    await unanswered('/2fa/verify', { code: recoveryCode, method: 'recovery_code' }, mfaToken)
    await unanswered('/2fa/verify', { code: nextCode(before, ada) }, mfaToken)
    t.strictSame(await kept(), all)
    t.match(toldOf(before), [new RegExp(`${next?.kid}.*Restart`)], 'the log says so once')
    t.match((await before.get('/readyz')).body, { status: 'ok', warnings: [/SECRET_KEY .* signing key/] })

    await before.close()
    clock.advance(120)
    const after = await startService(t, { databaseUrl, clock, rootKeys: [NEW, OLD] })
    const { accessToken } = signedInBy(await refresh(after, ada.refreshToken))
    t.equal(headerOf(accessToken).kid, next?.kid, 'the session was not spent meanwhile')
    t.ok(await isAlive(after, accessToken))
    t.strictSame(await published(after), [next?.kid])
    t.notOk((await after.get('/readyz')).body.warnings)
  },
)

t.test(
  'the next key is made under a SECRET_KEY that one replica lacks: that one goes on with the key before',
  async (t) => {
    const behind = await startService(t, { rootKeys: [OLD] })
    const { databaseUrl, clock } = behind
    const ahead = await startService(t, { databaseUrl, clock, rootKeys: [NEW, OLD] })
    const ada = await enrol(behind)
    const first = behind.deps.signingKeys.current().kid
    const { kid: second } = await ahead.deps.signingKeys.rotate()
    let { refreshToken } = ada
    const tokenOf = async (service: Service) => {
      const tokens = signedInBy(await refresh(service, refreshToken))
      refreshToken = tokens.refreshToken
      return tokens.accessToken
    }
    const maintain = async () => {
      for (const { deps } of [ahead, behind]) await deps.signingKeys.maintain()
    }

    await maintain()
    t.strictSame(await published(ahead), [first, second])
    t.strictSame(await published(behind), [first], 'a public key in clear is the word of the database alone')
    t.equal((await behind.deps.signingKeys.rotate()).kid, second, 'no other one is made while it waits')
    clock.advance(600)
    await maintain()
    const mine = await tokenOf(ahead)
    t.equal(headerOf(mine).kid, second)
    t.equal(
      outcomeOf(await behind.get('/me', mine)),
      '503 unavailable',
      'it may be right: it is not called wrong',
    )
    t.equal(behind.logLines.filter((line) => line.includes('"level":"error"')).length, 1, 'no line for each')

    clock.advance(599)
    await maintain()
    const last = await tokenOf(behind)
    t.equal(headerOf(last).kid, first)
    clock.advance(1)
    t.equal(
      outcomeOf(await refresh(behind, refreshToken)),
      '503 unavailable',
      'a later token would not live to its end',
    )
    clock.advance(598)
    await maintain()
    for (const service of [ahead, behind]) t.ok(await isAlive(service, last), 'to its end')
    const shown = { code: ada.recoveryCodes[0], method: 'recovery_code' }
    t.equal(outcomeOf(await behind.post('/2fa/step-up', shown, last)), '503 unavailable')
    const { recovery_codes: codes } = (await behind.get('/2fa', last)).body
    t.equal(codes.remaining, 10, 'a step-up, whose answer has an access token, uses nothing up')
    clock.advance(600)
    await maintain()
    t.strictSame(await published(behind), [])
    t.equal(toldOf(behind).length, 1)

    const [row] = await ahead.db.selectFrom('signing_keys').selectAll().execute()
    const context = `signing_keys:${row?.id}`
    const sealed = makeSecretBox(makeKeyRing([OLD])).seal(
      newBox.open(String(row?.sealed_private_key), context),
      context,
    )
    await ahead.db.updateTable('signing_keys').set({ sealed_private_key: sealed }).execute()
    await maintain()
    t.strictSame(await published(behind), [second], 'it opens once it is sealed under the old one again')
    t.equal(headerOf(await tokenOf(behind)).kid, second)
  },
)

t.test('a key that was written into the database without SECRET_KEY is not believed', async (t) => {
  const service = await startService(t)
  const { db, clock } = service
  const ada = await enrol(service)
  const [first] = await published(service)
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'mallory', alg: 'ES256', use: 'sig' }
  const sealed = `deadbeef.${randomBytes(200).toString('base64url')}`
  const columns = { alg: 'ES256' as const, public_jwk: JSON.stringify(jwk), sealed_private_key: sealed }
  const row = { id: 'mallory', generation: 2, created_at: clock.now(), ...columns }
  await db.insertInto('signing_keys').values(row).execute()
  const forged = await new CompactSign(Buffer.from(JSON.stringify(claimsOf(ada.accessToken))))
    .setProtectedHeader({ alg: 'ES256', kid: 'mallory', typ: 'at+jwt' })
    .sign(privateKey)

  await service.deps.signingKeys.maintain()
  t.strictSame(await published(service), [first])
  t.notOk(await isAlive(service, forged))
  t.ok(await isAlive(service, ada.accessToken))
  t.equal(headerOf((await signIn(service, ada)).accessToken).kid, first)
})

t.test('a service does not start on a signing key that it cannot open', async (t) => {
  const { databaseUrl, clock } = await startService(t, { rootKeys: [OLD] })
  const ahead = await startService(t, { databaseUrl, clock, rootKeys: [NEW, OLD] })
  await ahead.deps.signingKeys.rotate()
  await t.rejects(startService(t, { databaseUrl, clock, rootKeys: [OLD] }), { name: 'UnsealError' })
})

t.test('a key that waits its turn does not sign in the place of one that does not open', async (t) => {
  const behind = await startService(t, { rootKeys: [OLD] })
  const { clock, databaseUrl, deps } = behind
  const ahead = await startService(t, { databaseUrl, clock, rootKeys: [NEW, OLD] })
  const first = deps.signingKeys.current().kid
  const second = await ahead.deps.signingKeys.rotate()
  clock.advance(600)
  await deps.signingKeys.maintain()
  const third = await deps.signingKeys.rotate()
  t.notOk([first, second.kid].includes(third.kid), 'there is another one, which waits')
  t.equal(deps.signingKeys.current().kid, first)
})

t.test('a right password is not counted as a wrong one while no key can sign', async (t) => {
  const environment = { MFA_POLICY: 'optional' }
  const { clock, db, deps, post } = await startService(t, { rootKeys: [OLD], environment })
  const ada = { username: 'ada', password: PASSWORD }
  t.equal((await post('/register', ada)).status, 201)
  await revokeSigningKey({ db, box: newBox, clock, alg: 'ES256' }, deps.signingKeys.current().kid)
  await deps.signingKeys.maintain()
  for (let time = 0; time < 11; time += 1) t.equal(outcomeOf(await post('/login', ada)), '503 unavailable')
  const counters = await db.selectFrom('failure_counters').select('failures').execute()
  t.ok(counters.length > 0 && counters.every(({ failures }) => failures === 0))
})
