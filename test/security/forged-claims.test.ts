// The attack: a token with a good signature that was made for something else: for another service under the
// same keys, for another time, or by another program. Each token here is signed by the service's own key and
// differs from a genuine one in a single claim.
import t from 'tap'
import { type Forge, type Members, openMint, refused } from '../helpers/people/forge.ts'
import { claimsOf } from '../helpers/people/sessions.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { enrol, login, type Service } from '../helpers/service/service.ts'

/** What may be told of a token that this service has signed. */
const SIGNED_HERE = [undefined, 'wrong_kind', 'expired', 'ended', 'used'] as const

/** For claims that every kind of token has. */
function commonFaults(service: Service, audience: string): [string, Members][] {
  const { issuer } = service.config
  const now = Math.floor(service.clock.now() / 1000)
  const later = now + 200
  const missing = ['iss', 'aud', 'sub', 'jti', 'iat', 'exp'].map((name): [string, Members] => [
    `without ${name}`,
    { [name]: undefined },
  ])
  const notStrings = ['iss', 'aud', 'sub', 'jti'].flatMap((name) =>
    [null, '', 0, true, {}, []].map((value): [string, Members] => [
      `${name} ${JSON.stringify(value)}`,
      { [name]: value },
    ]),
  )
  const notTimes = ['iat', 'exp', 'nbf'].flatMap((name) =>
    [null, String(later), later + 0.5, 1e99, -1, true, {}, [later]].map((value): [string, Members] => [
      `${name} ${JSON.stringify(value)}`,
      { [name]: value },
    ]),
  )
  return [
    ...missing,
    ...notStrings,
    ...notTimes,
    ['another issuer', { iss: 'https://evil.example' }],
    ['an issuer with a slash', { iss: `${issuer}/` }],
    ['an issuer that only begins alike', { iss: `${issuer}.evil.example` }],
    ['two issuers', { iss: ['https://evil.example', issuer] }],
    ['a list of the one issuer', { iss: [issuer] }],
    ['another audience', { aud: 'https://evil.example' }],
    ['an audience with a slash', { aud: `${audience}/` }],
    ['two audiences', { aud: [audience, 'https://evil.example'] }],
    ['an unknown subject', { sub: '0197c2a4-5f0e-7c3a-9d8e-2b1f6a7c8d9e' }],
    ['exp just now', { exp: now }],
    ['exp a second ago', { exp: now - 1 }],
    ['exp 0', { exp: 0 }],
    ['nbf in two minutes', { nbf: now + 120 }],
    ['iat in two minutes', { iat: now + 120 }],
  ]
}

async function refuseAll(
  t: Parameters<typeof refused>[0],
  service: Service,
  forge: Forge,
  faults: [string, Members][],
): Promise<void> {
  for (const [name, claims] of faults)
    await refused(t, service, name, await forge({ claims }), undefined, SIGNED_HERE)
}

t.test('a claim that is missing, of the wrong type or not ours ends an access token', async (t) => {
  const { service, ada, access } = await openMint(t)
  const { id: malloryId } = await enrol(service, 'mallory')
  t.equal((await service.get('/me', await access({ claims: { nbf: 1 } }))).status, 200, 'a past nbf is fine')
  await refuseAll(t, service, access, [
    ...commonFaults(service, service.config.audiences[0]),
    ["another account's sub", { sub: malloryId }],
    ['an unknown session', { sid: '0197c2a4-5f0e-7c3a-9d8e-2b1f6a7c8d9e' }],
    ...['sid', 'acr', 'amr', 'auth_time', 'client_id', 'username'].flatMap((name): [string, Members][] => [
      [`without ${name}`, { [name]: undefined }],
      ...[null, 0.5, true, {}].map((value): [string, Members] => [
        `${name} ${JSON.stringify(value)}`,
        { [name]: value },
      ]),
    ]),
    ['an unknown level', { acr: 'aal3' }],
    ["the account's id as its session", { sid: ada.id }],
  ])
})

t.test('a claim that is missing, of the wrong type or not ours ends an account token', async (t) => {
  const { service, ada, account } = await openMint(t)
  const mallory = await enrol(service, 'mallory')
  t.equal((await service.post('/2fa/setup', undefined, await account())).status, 200)
  const { change_count: count } = claimsOf(ada.accountToken)
  await refuseAll(t, service, account, [
    ...commonFaults(service, `${service.config.issuer}/account`),
    ["another account's sub", { sub: mallory.id }],
    ["another account's session", { sid: claimsOf(mallory.accessToken).sid }],
    ['an unknown session', { sid: '0197c2a4-5f0e-7c3a-9d8e-2b1f6a7c8d9e' }],
    ...['sid', 'acr', 'change_count'].flatMap((name): [string, Members][] => [
      [`without ${name}`, { [name]: undefined }],
      ...[null, '', String(count), 0.5, -1, true, {}, [count]].map((value): [string, Members] => [
        `${name} ${JSON.stringify(value)}`,
        { [name]: value },
      ]),
    ]),
    ['an unknown level', { acr: 'aal3' }],
    ['the next change', { change_count: count + 1 }],
    ['the audience of access tokens', { aud: service.config.audiences[0] }],
  ])
  const weaker = await service.post('/2fa/setup', undefined, await account({ claims: { acr: 'aal1' } }))
  t.equal(outcomeOf(weaker), '401 insufficient_user_authentication', 'a level below that of the account')
})

t.test('a claim that is missing, of the wrong type or not ours ends an mfa token', async (t) => {
  const { service, mfa } = await openMint(t)
  const { id: malloryId } = await enrol(service, 'mallory')
  const malloryToken = await login(service, 'mallory')
  const { jti } = JSON.parse(Buffer.from(malloryToken.split('.')[1] ?? '', 'base64url').toString())
  await refuseAll(t, service, mfa, [
    ...commonFaults(service, `${service.config.issuer}/2fa`),
    ["another account's sub", { sub: malloryId }],
    ["another account's challenge", { jti }],
    ['an unknown challenge', { jti: '0197c2a4-5f0e-7c3a-9d8e-2b1f6a7c8d9e' }],
    ['the audience of access tokens', { aud: service.config.audiences[0] }],
  ])
})

t.test('what is not an object of claims is refused, whoever signed it', async (t) => {
  const { service, access, account, mfa } = await openMint(t)
  for (const forge of [access, account, mfa])
    for (const payload of ['', 'null', '[]', '"text"', '1', 'true', '{', '\u0000', '{}', '[{}]'])
      await refused(t, service, `the payload ${JSON.stringify(payload)}`, await forge({ payload }))
})

t.test('a token is valid until its last second and not beyond', async (t) => {
  const { service, ada } = await openMint(t)
  service.clock.advance(299)
  t.equal((await service.post('/2fa/setup', undefined, ada.accountToken)).status, 200)
  service.clock.advance(1)
  await refused(t, service, 'an expired account token', ada.accountToken, undefined, SIGNED_HERE)
  service.clock.advance(299)
  t.equal((await service.get('/me', ada.accessToken)).status, 200)
  service.clock.advance(1)
  await refused(t, service, 'an expired token', ada.accessToken, undefined, SIGNED_HERE)
})

t.test('the token of an account that was disabled or deleted opens nothing more', async (t) => {
  const { service, ada, mfaToken } = await openMint(t)
  await service.db.updateTable('accounts').set({ disabled_at: service.clock.now() }).execute()
  for (const token of [ada.accessToken, ada.accountToken, mfaToken])
    await refused(t, service, 'a disabled account', token, undefined, SIGNED_HERE)
  await service.db.updateTable('accounts').set({ disabled_at: null }).execute()
  t.equal((await service.get('/me', ada.accessToken)).status, 200)
  await service.db.deleteFrom('accounts').execute()
  for (const token of [ada.accessToken, ada.accountToken, mfaToken])
    await refused(t, service, 'a deleted account', token, undefined, SIGNED_HERE)
})
