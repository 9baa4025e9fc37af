import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  jwtVerify,
} from 'jose'
import t from 'tap'
import { listen } from '../helpers/requests/raw-socket.ts'
import { enrol, login, nextCode, startService } from '../helpers/service/service.ts'

/** Any service can check an access token with a library of its own and the published keys, and nothing else. */

const ISSUER = 'https://id.example.com'
const AUDIENCE = 'https://api.example.com'
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const KEYS = {
  ES256: { kty: 'EC', crv: 'P-256' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  RS256: { kty: 'RSA', e: 'AQAB' },
}

for (const alg of ['ES256', 'EdDSA', 'RS256'] as const)
  t.test(`with JWT_ALG=${alg}`, async (t) => {
    const environment = { ISSUER, AUDIENCE, JWT_ALG: alg, ACCESS_TOKEN_TTL: '601' }
    const service = await startService(t, { environment })
    const { url } = await listen(service)
    const ada = await enrol(service, 'Ada')
    const now = Math.floor(service.clock.now() / 1000)
    const expected = {
      issuer: ISSUER,
      audience: AUDIENCE,
      typ: 'at+jwt',
      currentDate: new Date(service.clock.now()),
    }

    t.test('jose verifies it through the JWKS, fetched over HTTP', async (t) => {
      const keySet = createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`))
      const { payload, protectedHeader } = await jwtVerify(ada.accessToken, keySet, {
        ...expected,
        algorithms: [alg],
      })
      t.equal(payload.sub, ada.id)
      t.equal(protectedHeader.alg, alg)
    })

    t.test('its header and its claims are those of the contract, each of them and no other', async (t) => {
      const { kid, ...header } = decodeProtectedHeader(ada.accessToken)
      t.strictSame(header, { alg, typ: 'at+jwt' })
      t.match(kid, /^[A-Za-z0-9_-]{43}$/)
      const { jti, sid, ...claims } = decodeJwt(ada.accessToken)
      t.strictSame(claims, {
        iss: ISSUER,
        sub: ada.id,
        aud: AUDIENCE,
        exp: now + 601,
        iat: now,
        client_id: 'keyturn',
        amr: ['pwd', 'otp', 'mfa'],
        acr: 'aal2',
        auth_time: now,
        username: 'Ada',
      })
      t.match(jti, UUID_V7)
      t.match(sid, UUID_V7)
      t.not(jti, sid)
    })

    t.test('a recovery code is named in it', async (t) => {
      const code = ada.recoveryCodes[0]
      const { body } = await service.post(
        '/2fa/verify',
        { code, method: 'recovery_code' },
        await login(service, 'Ada'),
      )
      t.match(decodeJwt(body.access_token), { acr: 'aal2', amr: ['pwd', 'recovery', 'mfa'] })
    })

    t.test('each login is a session and a token of its own', async (t) => {
      const code = nextCode(service, ada)
      const { body } = await service.post('/2fa/verify', { code }, await login(service, 'Ada'))
      const [first, second] = [decodeJwt(ada.accessToken), decodeJwt(body.access_token)]
      t.not(first.jti, second.jti)
      t.not(first.sid, second.sid)
      t.equal(body.expires_in, 601)
    })

    t.test('the key set has public keys alone, each with its use and name', async (t) => {
      const { body, headers } = await service.get('/.well-known/jwks.json')
      t.match(headers['content-type'], /^application\/json/)
      t.equal(body.keys.length, 1)
      const [{ kid, x, y, n, ...key }] = body.keys
      t.strictSame(key, { ...KEYS[alg], alg, use: 'sig' })
      t.equal(kid, decodeProtectedHeader(ada.accessToken).kid)
      t.equal(kid, await calculateJwkThumbprint(body.keys[0]), 'RFC 7638')
      if (alg === 'RS256') t.match(n, /^[A-Za-z0-9_-]{342}$/)
      else t.match(x, /^[A-Za-z0-9_-]{43}$/)
      t.equal(typeof y, alg === 'ES256' ? 'string' : 'undefined')
    })

    t.test('what jose refuses, it refuses for the right reason', async (t) => {
      const keySet = createLocalJWKSet((await service.get('/.well-known/jwks.json')).body)
      const verify = (token: string, overrides: object = {}) =>
        jwtVerify(token, keySet, { ...expected, ...overrides })
      await t.resolves(verify(ada.accessToken))
      const later = new Date(service.clock.now() + 602_000)
      await t.rejects(verify(ada.accessToken, { currentDate: later }), { code: 'ERR_JWT_EXPIRED' })
      await t.rejects(verify(ada.accessToken, { audience: 'other' }), {
        code: 'ERR_JWT_CLAIM_VALIDATION_FAILED',
      })
      const [head, claims, signature] = ada.accessToken.split('.')
      const forged = Buffer.from(JSON.stringify({ ...decodeJwt(ada.accessToken), sub: 'eve' })).toString(
        'base64url',
      )
      await t.rejects(verify(`${head}.${forged}.${signature}`), {
        code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
      })
      await t.rejects(verify(await login(service, 'Ada')), 'an mfa token is not one')
      t.ok(claims)
    })
  })

t.test('issuer and audience are the address of the service unless something else is said', async (t) => {
  const service = await startService(t, { environment: { HOST: '127.0.0.1', PORT: '4711' } })
  const { accessToken } = await enrol(service)
  t.match(decodeJwt(accessToken), { iss: 'http://127.0.0.1:4711', aud: 'http://127.0.0.1:4711' })
})

t.test('after a restart the same key signs and checks', async (t) => {
  const before = await startService(t)
  const ada = await enrol(before)
  await before.close()
  const after = await startService(t, { databaseUrl: before.databaseUrl, clock: before.clock })
  t.equal((await after.get('/me', ada.accessToken)).status, 200)
  const code = nextCode(after, ada)
  const { body } = await after.post('/2fa/verify', { code }, await login(after))
  t.equal(decodeProtectedHeader(body.access_token).kid, decodeProtectedHeader(ada.accessToken).kid)
})
