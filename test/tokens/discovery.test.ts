import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { auth } from 'express-oauth2-jwt-bearer'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { basic, newClient, postForm, type Shown, serviceToken } from '../helpers/people/clients.ts'
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
    token_endpoint: `${ISSUER}/token`,
    token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
    grant_types_supported: ['refresh_token', 'client_credentials'],
    scopes_supported: ['introspect'],
    response_types_supported: [],
    revocation_endpoint: `${ISSUER}/token/revoke`,
    revocation_endpoint_auth_methods_supported: ['none'],
    introspection_endpoint: `${ISSUER}/token/introspect`,
    introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'Bearer'],
    service_documentation: `${ISSUER}/docs`,
  })
})

/** What a client does that shows its secret this way: the form, and the header. */
const SHOWN_BY: Record<string, (client: Shown) => [form: Record<string, string>, header?: string]> = {
  none: () => [{ client_id: 'keyturn' }],
  client_secret_basic: (client) => [{}, basic(client)],
  client_secret_post: ({ id, secret }) => [{ client_id: id, client_secret: secret }],
}

t.test(
  'the server metadata is true in every member: a client that goes by it gets what it says',
  async (t) => {
    const service = await startService(t, { environment: { ISSUER } })
    const client = await newClient(service)
    const ada = await enrol(service)
    const { body: says } = await service.get(DOCUMENT)
    const at = (url: string) => url.slice(ISSUER.length)
    const used = new Set<string>()
    const use = (member: string) => {
      used.add(member)
      return says[member]
    }

    t.equal(use('issuer'), claimsOf(ada.accessToken).iss)
    t.match((await service.get(at(use('jwks_uri')))).body, { keys: [{ use: 'sig' }] })
    t.match((await service.get(at(use('service_documentation')))).status, /200|302/)
    t.strictSame(use('response_types_supported'), [], 'there is no authorization endpoint')
    t.notOk('authorization_endpoint' in says)

    const tokenUrl = at(use('token_endpoint'))
    let { refreshToken } = ada
    const grants: Record<string, (method: string) => Promise<void>> = {
      async refresh_token(method) {
        if (method !== 'none') return
        const asked = {
          grant_type: 'refresh_token',
          refresh_token: refreshToken,
          ...SHOWN_BY.none?.(client)[0],
        }
        const { body } = await postForm(service, tokenUrl, asked)
        t.match(body, { token_type: 'Bearer', refresh_token: /./ })
        refreshToken = body.refresh_token
      },
      async client_credentials(method) {
        const [form, header] = SHOWN_BY[method]?.(client) ?? [{}]
        const answer = await postForm(
          service,
          tokenUrl,
          { grant_type: 'client_credentials', ...form },
          header,
        )
        t.equal(answer.status, method === 'none' ? 401 : 200, `client_credentials by ${method}`)
      },
    }
    for (const method of use('token_endpoint_auth_methods_supported'))
      for (const grant of use('grant_types_supported')) await grants[grant]?.(method)
    t.strictSame(Object.keys(grants), says.grant_types_supported)
    for (const scope of use('scopes_supported')) {
      const asked = { grant_type: 'client_credentials', scope }
      t.equal((await postForm(service, tokenUrl, asked, basic(client))).body.scope, scope)
    }

    const introspect = at(use('introspection_endpoint'))
    const asked = { token: ada.accessToken }
    const bearer = async () => `Bearer ${await serviceToken(service, client)}`
    for (const method of use('introspection_endpoint_auth_methods_supported')) {
      const [form, header] = method === 'Bearer' ? [{}, await bearer()] : (SHOWN_BY[method]?.(client) ?? [{}])
      const answer = await postForm(service, introspect, { ...asked, ...form }, header)
      t.match(answer.body, { active: true, username: 'ada' }, `introspection by ${method}`)
    }

    t.strictSame(use('revocation_endpoint_auth_methods_supported'), ['none'])
    t.equal((await postForm(service, at(use('revocation_endpoint')), { token: refreshToken })).status, 200)
    t.equal((await service.get('/me', ada.accessToken)).status, 401)
    t.strictSame([...used].sort(), Object.keys(says).sort(), 'no member was left out')
  },
)

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
    environment: { AUDIENCE: service.config.audiences[0] },
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
    const options = { issuer: metadata.issuer, audience: service.config.audiences[0], typ: 'at+jwt' }
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
      auth({ issuerBaseURL: service.issuer, audience: service.config.audiences[0], strict: true }),
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
        audience: service.config.audiences[0],
        tokens: [accessToken, ...Object.values(foreign)],
      })
      t.strictSame(own, { claims: claimsOf(accessToken) })
      for (const [index, kind] of Object.keys(foreign).entries())
        t.match(others[index], { refused: /Error$/ }, kind)
    },
  )
}
