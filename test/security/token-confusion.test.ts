// The attack: a token is made to be checked with something else than the service's own key: no key, the public
// key as a shared secret, a key the token brings along; or one kind of token is shown in another's place.
import { createServer } from 'node:http'
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, importSPKI, UnsecuredJWT } from 'jose'
import t from 'tap'
import { openMint, present, refused, unsigned } from '../helpers/people/forge.ts'
import { outcomeOf } from '../helpers/requests/burst.ts'
import { login } from '../helpers/service/service.ts'

t.test('genuine tokens pass, as do copies signed again: what follows fails for its own reason', async (t) => {
  const { service, ada, mfaToken, access, account, mfa } = await openMint(t)
  for (const token of [ada.accessToken, await access()])
    t.equal((await service.get('/me', token)).status, 200)
  for (const token of [ada.accountToken, await account()])
    t.equal((await service.post('/2fa/setup', undefined, token)).status, 200)
  for (const token of [mfaToken, await mfa()]) {
    t.equal((await service.post('/2fa/setup', undefined, token)).status, 200)
    t.equal(outcomeOf(await present(service, '/2fa/verify', `Bearer ${token}`)), '422 invalid_code')
  }
})

t.test('a token without a signature', async (t) => {
  const { service, ada, mfaToken } = await openMint(t)
  for (const token of [ada.accessToken, ada.accountToken, mfaToken]) {
    const [, payload = '', signature = ''] = token.split('.')
    for (const alg of ['none', 'None', 'NONE', 'nOnE', ' none', 'none\0', '', null, undefined, [], ['none']])
      for (const end of ['', signature])
        await refused(t, service, `alg ${JSON.stringify(alg)}, "${end}"`, unsigned(token, { alg }, end))
    await refused(t, service, 'a stripped signature', token.slice(0, -signature.length))
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    await refused(t, service, 'an unsecured JWT', new UnsecuredJWT(claims).encode())
  }
})

t.test('a signature that does not fit', async (t) => {
  const { service, ada, mfaToken } = await openMint(t)
  const zeros = (bytes: number) => Buffer.alloc(bytes).toString('base64url')
  for (const token of [ada.accessToken, ada.accountToken, mfaToken]) {
    const [header = '', payload = '', signature = ''] = token.split('.')
    const bytes = Buffer.from(signature, 'base64url')
    for (const at of [0, 15, bytes.length - 1]) {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ 1
      await refused(t, service, `bit ${at * 8}`, `${header}.${payload}.${flipped.toString('base64url')}`)
    }
    for (const size of [0, 1, 32, 64, 96])
      await refused(t, service, `${size} zeros`, `${header}.${payload}.${zeros(size)}`)
    for (const alg of ['ES384', 'RS256', 'PS256', 'EdDSA', 'HS256', 'HS384', 'ES256'])
      if (!token.startsWith(unsigned(token, { alg }, '').split('.')[0] ?? ''))
        await refused(t, service, `the genuine signature as ${alg}`, unsigned(token, { alg }, signature))
  }
})

t.test('the public key as the shared secret of an HMAC', async (t) => {
  const { service, access, account, mfa } = await openMint(t)
  const { publicKeyPem, alg, jwk } = service.deps.signingKeys.current()
  const key = await importSPKI(publicKeyPem, alg, { extractable: true })
  const secrets: Record<string, string | Buffer> = {
    PEM: publicKeyPem,
    'PEM without its last line break': publicKeyPem.trimEnd(),
    'PEM after blanks': `  \n${publicKeyPem}`,
    'PEM body': publicKeyPem.replace(/-----.*-----|\n/g, ''),
    DER: Buffer.from(await crypto.subtle.exportKey('spki', key)),
    point: Buffer.from(await crypto.subtle.exportKey('raw', key)),
    JWK: JSON.stringify(await exportJWK(key)),
    'JWK as published': JSON.stringify(jwk),
    JWKS: (await service.get('/.well-known/jwks.json')).text,
    kid: jwk.kid,
  }
  for (const [name, secret] of Object.entries(secrets))
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      const key = Buffer.from(secret)
      await refused(t, service, `${alg} with ${name}`, await access({ header: { alg }, key }))
      for (const forge of [account, mfa])
        await refused(t, service, `${alg} with ${name}`, await forge({ header: { alg, kid: jwk.kid }, key }))
    }
})

t.test("an attacker's own key, which the token brings along or points to", async (t) => {
  const { service, access } = await openMint(t)
  let visits = 0
  const canary = createServer((_request, response) => {
    visits += 1
    response.end('{"keys":[]}')
  }).listen(0, '127.0.0.1')
  t.teardown(() => canary.close())
  await new Promise((resolve) => canary.once('listening', resolve))
  const url = `http://127.0.0.1:${(canary.address() as { port: number }).port}/jwks.json`

  for (const alg of ['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256']) {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
    const jwk = await exportJWK(publicKey)
    const der = Buffer.from(await crypto.subtle.exportKey('spki', publicKey)).toString('base64')
    for (const extra of [{}, { jwk }, { jwk, kid: undefined }, { jwk: { ...jwk, kid: 'x' }, kid: 'x' }])
      await refused(
        t,
        service,
        `${alg} ${Object.keys(extra)}`,
        await access({ header: { alg, ...extra }, key: privateKey }),
      )
    for (const extra of [{ jku: url }, { x5u: url }, { jku: url, kid: undefined }, { x5c: [der] }])
      await refused(
        t,
        service,
        `${alg} ${Object.keys(extra)}`,
        await access({ header: { alg, ...extra }, key: privateKey }),
      )
  }
  t.equal(visits, 0, 'no key was fetched')
})

t.test('a kid that is not the name of a key', async (t) => {
  const { service, access, account, mfa, mfaToken, ada } = await openMint(t)
  const kidOf = (token: string) =>
    JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid
  const kids = [
    '',
    'unknown',
    null,
    undefined,
    0,
    true,
    [],
    {},
    '../../dev/null',
    '/etc/passwd',
    "' OR 1=1 --",
  ]
  const names = ['__proto__', 'constructor', 'toString', 'k'.repeat(10_000), `${kidOf(ada.accessToken)}\0`]
  for (const kid of [...kids, ...names, [kidOf(ada.accessToken)], kidOf(mfaToken)])
    await refused(t, service, `kid ${String(kid).slice(0, 20)}`, await access({ header: { kid } }))
  for (const kid of [...kids, ...names, [kidOf(mfaToken)], kidOf(ada.accessToken)])
    for (const forge of [account, mfa])
      await refused(t, service, `kid ${String(kid).slice(0, 20)}`, await forge({ header: { kid } }))
})

t.test('a header that says what must be understood, and is not', async (t) => {
  const { service, access, account, mfa } = await openMint(t)
  const merelyUnknown = await access({ header: { policy: 'strict' } })
  t.equal((await service.get('/me', merelyUnknown)).status, 200, 'what need not be understood is ignored')
  for (const forge of [access, account, mfa])
    for (const header of [
      { crit: ['policy'], policy: 'strict' },
      { crit: ['exp'], exp: 1 },
      { crit: ['b64', 'policy'], policy: 1, b64: true },
    ])
      await refused(t, service, `crit ${header.crit}`, await forge({ header }))
})

t.test('one kind of token in the place of another', async (t) => {
  const { service, ada, mfaToken, access, account, mfa } = await openMint(t)
  const adasMfaToken = await login(service)
  await refused(t, service, 'an access token', ada.accessToken, ['/2fa/verify'])
  const changing = await service.post('/2fa/setup', undefined, ada.accessToken)
  t.equal(outcomeOf(changing), '401 insufficient_user_authentication', 'an access token changes nothing')
  await refused(t, service, 'an account token', ada.accountToken, ['/me', '/2fa/verify'])
  await refused(t, service, 'an mfa token', mfaToken, ['/me'])
  await refused(t, service, 'an mfa token of an enrolled account', adasMfaToken, ['/me'])
  await refused(t, service, 'a refresh token', ada.refreshToken)
  await refused(t, service, 'a recovery code', ada.recoveryCodes[0] ?? '')

  const tokens = { access: ada.accessToken, account: ada.accountToken, mfa: mfaToken }
  const forges = { access, account, mfa }
  const kinds = ['access', 'account', 'mfa'] as const
  for (const kind of kinds)
    for (const other of kinds.filter((name) => name !== kind)) {
      const { typ } = decodeProtectedHeader(tokens[other])
      const { aud } = decodeJwt(tokens[other])
      const payload = JSON.stringify(decodeJwt(tokens[other]))
      for (const [what, token] of [
        ['that calls itself', await forges[kind]({ header: { typ } })],
        ['with the claims of', await forges[kind]({ payload })],
        ['with the type and the claims of', await forges[kind]({ header: { typ }, payload })],
        ['for the audience of', await forges[kind]({ claims: { aud } })],
      ] as const)
        await refused(t, service, `an ${kind} token ${what} an ${other} token`, token)
    }
  for (const typ of [undefined, null, '', 'JWT', 'jwt', 'id+jwt', 'at', ['at+jwt'], 1]) {
    for (const kind of kinds)
      await refused(t, service, `typ ${JSON.stringify(typ)}`, await forges[kind]({ header: { typ } }))
  }
})
