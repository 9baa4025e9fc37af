import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { auth } from 'express-oauth2-jwt-bearer'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { claimsOf } from '../helpers/people/sessions.ts'
import { findPyJwt, verifyWithPyJwt } from '../helpers/programs/pyjwt.ts'
import { startListening } from '../helpers/service/listening.ts'
import { enrol, login, type Service, startService } from '../helpers/service/service.ts'

const ISSUER = 'https://id.example.com'
const DOCUMENT = '/.well-known/oauth-authorization-server'

t.test('the server metadata tells a service all it needs (RFC 8414)', async (t) => {
  const service = await startService(t, { environment: { ISSUER } })
  const { status, headers, body } = await service.get(DOCUMENT)
  t.equal(status, 200)
  t.match(headers, {
    'content-type': /^application\/json/,
    'cache-control': 'public, max-age=300',
    'cross-origin-resource-policy': 'cross-origin',
  })
  t.strictSame(body, {
    issuer: ISSUER,
    jwks_uri: `${ISSUER}/.well-known/jwks.json`,
    token_endpoint: `${ISSUER}/token/refresh`,
    introspection_endpoint: `${ISSUER}/token/introspect`,
    introspection_endpoint_auth_methods_supported: ['Bearer'],
    grant_types_supported: ['refresh_token'],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: ['none'],
    service_documentation: `${ISSUER}/docs`,
  })
})

t.test('every address in the metadata is there', async (t) => {
  const service = await startService(t, { environment: { ISSUER } })
  const ada = await enrol(service)
  const { body } = await service.get(DOCUMENT)
  const pathOf = (url: string) => url.slice(ISSUER.length)
  t.equal((await service.get(pathOf(body.jwks_uri))).status, 200)
  t.match((await service.get(pathOf(body.service_documentation))).status, /200|302/)
  const token = { token: ada.accessToken }
  const asked = await service.post(pathOf(body.introspection_endpoint), token, ada.accessToken)
  t.match(asked.body, { active: true })
  const refreshToken = { refresh_token: ada.refreshToken }
  t.match((await service.post(pathOf(body.token_endpoint), refreshToken)).body, { token_type: 'Bearer' })
})

t.test('an issuer is written as it was configured, and documentation that is off is not named', async (t) => {
  const environment = { ISSUER: `${ISSUER}/`, DOCS: 'off' }
  const { body } = await (await startService(t, { environment })).get(DOCUMENT)
  t.equal(body.issuer, ISSUER)
  t.equal(body.jwks_uri, `${ISSUER}/.well-known/jwks.json`)
  t.notOk('service_documentation' in body)
})

t.test('the key set has public keys and nothing private (RFC 7517)', async (t) => {
  for (const [alg, members] of [
    ['ES256', { kty: 'EC', crv: 'P-256', x: /^[\w-]{43}$/, y: /^[\w-]{43}$/ }],
    ['EdDSA', { kty: 'OKP', crv: 'Ed25519', x: /^[\w-]{43}$/ }],
    // 2048 bits are 342 characters of base64url.
    ['RS256', { kty: 'RSA', n: /^[\w-]{342}$/, e: 'AQAB' }],
  ] as const) {
    const service = await startService(t, { environment: { JWT_ALG: alg } })
    const { headers, body } = await service.get('/.well-known/jwks.json')
    t.equal(headers['cache-control'], 'public, max-age=300')
    t.equal(headers['cross-origin-resource-policy'], 'cross-origin')
    t.matchOnlyStrict(body, { keys: [{ ...members, kid: /^[\w-]{43}$/, alg, use: 'sig' }] })
    await service.close()
  }
})

/** Tokens that no other service may take. */
async function foreignTokens(t: Test, service: Service): Promise<Record<string, string>> {
  const other = await startListening(t, {
    environment: { AUDIENCE: service.config.audience },
    clock: service.clock,
  })
  const { accessToken } = await enrol(service, 'grace')
  const [header, payload, signature] = accessToken.split('.') as [string, string, string]
  const claims = { ...claimsOf(accessToken), sub: claimsOf((await enrol(service, 'eve')).accessToken).sub }
  return {
    'an mfa token': await login(service, 'grace'),
    'of another issuer': (await enrol(other)).accessToken,
    'for somebody else': `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`,
    'not signed': `${header}.${payload}.`,
  }
}

for (const alg of ['ES256', 'EdDSA', 'RS256']) {
  const environment = { JWT_ALG: alg }

  t.test(`jose checks ${alg} tokens by the address of the key set alone`, async (t) => {
    const service = await startListening(t, { environment })
    const { accessToken } = await enrol(service)
    const { body: metadata } = await service.get(DOCUMENT)
    const keys = createRemoteJWKSet(new URL(metadata.jwks_uri))
    const options = { issuer: metadata.issuer, audience: service.config.audience, typ: 'at+jwt' }
    const { payload, protectedHeader } = await jwtVerify(accessToken, keys, options)
    t.equal(protectedHeader.alg, alg)
    t.match(payload, { username: 'ada', acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] })
    for (const [kind, token] of Object.entries(await foreignTokens(t, service)))
      await t.rejects(jwtVerify(token, keys, options), kind)
  })

  t.test(`an Express app checks ${alg} tokens by the name of the issuer alone`, async (t) => {
    const service = await startListening(t, { environment })
    const { accessToken } = await enrol(service)
    const app = express()
    // `strict` asks for the shape of RFC 9068.
    app.use(
      auth({ issuerBaseURL: service.issuer, audience: service.config.audience, strict: true }),
      (request, response) => void response.json(request.auth?.payload),
    )
    app.use(((error, _request, response, _next) => {
      response.status(error.status).json({ error: error.code })
    }) satisfies express.ErrorRequestHandler)
    const server = app.listen(0, '127.0.0.1')
    t.teardown(() => server.close())
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`
    const ask = (token: string) => fetch(url, { headers: { authorization: `Bearer ${token}` } })

    const answer = await ask(accessToken)
    t.equal(answer.status, 200)
    t.strictSame(await answer.json(), claimsOf(accessToken))
    for (const [kind, token] of Object.entries(await foreignTokens(t, service)))
      t.equal((await ask(token)).status, 401, kind)
  })

  const python = findPyJwt()
  t.test(
    `PyJWT checks ${alg} tokens by the address of the key set alone`,
    { skip: python ? false : 'NOT TESTED: no Python with PyJWT (Debian: python3-jwt, python3-cryptography)' },
    async (t) => {
      const service = await startListening(t, { environment })
      const { accessToken } = await enrol(service)
      const foreign = await foreignTokens(t, service)
      const [own, ...others] = await verifyWithPyJwt(python as string, {
        issuer: service.issuer,
        audience: service.config.audience,
        tokens: [accessToken, ...Object.values(foreign)],
      })
      t.strictSame(own, { claims: claimsOf(accessToken) })
      for (const [index, kind] of Object.keys(foreign).entries())
        t.match(others[index], { refused: /Error$/ }, kind)
    },
  )
}
