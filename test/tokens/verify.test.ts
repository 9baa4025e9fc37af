import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { importPKCS8 } from 'jose'
import t from 'tap'
import { createVerifier, TokenRefused } from '../../src/verify.ts'
import { forgeFrom } from '../helpers/people/forge.ts'
import { claimsOf } from '../helpers/people/sessions.ts'
import { startListening } from '../helpers/service/listening.ts'
import { enrol, login } from '../helpers/service/service.ts'

/** `keyturn/verify`, which other services check access tokens with. */

/** What a check is refused with. */
const refusalOf = (checking: Promise<unknown>) =>
  checking.then(
    () => 'taken',
    (error) => error,
  )

const INVALID = { status: 401, challenge: 'Bearer error="invalid_token"' }

for (const JWT_ALG of ['ES256', 'EdDSA', 'RS256'])
  t.test(`keyturn/verify takes access tokens for its audience and nothing else (${JWT_ALG})`, async (t) => {
    const environment = { AUDIENCE: 'https://api.example.com', JWT_ALG }
    const service = await startListening(t, { environment })
    const { issuer, clock } = service
    const ada = await enrol(service)
    const verifierFor = (audience?: string | string[]) =>
      createVerifier({ issuer, now: clock.now, ...(audience && { audience }) })
    const verify = verifierFor(environment.AUDIENCE)
    const bearer = `Bearer ${ada.accessToken}`

    t.strictSame(await verify(bearer), claimsOf(ada.accessToken))
    t.match(await verify(bearer.replace('Bearer', 'bearer')), { username: 'ada' })
    t.match(await verifierFor(['https://other.example.com', environment.AUDIENCE])(bearer), { sub: ada.id })

    const { alg, privateKeyPem } = service.deps.signingKeys.current()
    const forge = forgeFrom(ada.accessToken, await importPKCS8(privateKeyPem, alg))
    t.match(await verify(`Bearer ${await forge()}`), { sub: ada.id }, 'forged under the key of the service')
    const bad = {
      'an mfa token': await login(service),
      'an account token': ada.accountToken,
      'another typ': await forge({ header: { typ: 'account+jwt' } }),
      'no typ': await forge({ header: { typ: undefined } }),
      'another issuer': await forge({ claims: { iss: 'https://id.example.com' } }),
      'no expiry': await forge({ claims: { exp: undefined } }),
      'no client': await forge({ claims: { client_id: undefined } }),
      'a changed signature': `${ada.accessToken.slice(0, -8)}AAAAAAAA`,
      'not signed': `${ada.accessToken.split('.').slice(0, 2).join('.')}.`,
      'no token': 'aaaa',
    }
    for (const [name, token] of Object.entries(bad))
      t.match(await refusalOf(verify(`Bearer ${token}`)), { ...INVALID, name: 'TokenRefused' }, name)
    t.match(await refusalOf(verifierFor()(bearer)), INVALID, 'meant for another service')
    for (const header of [undefined, '', 'Basic YTpi', `${bearer}, ${bearer}`, `Bearer${ada.accessToken}`])
      t.match(await refusalOf(verify(header)), { status: 401, challenge: 'Bearer' }, header ?? 'no header')

    clock.advance(609)
    t.match(await verify(bearer), { sub: ada.id }, 'nine seconds late is within the leeway')
    clock.advance(1)
    t.match(await refusalOf(verify(bearer)), INVALID, 'expired')
  })

t.test('what it asks for beyond a good token is a challenge as RFC 9470 has it', async (t) => {
  const service = await startListening(t)
  const { issuer, clock } = service
  const verify = createVerifier({ issuer, now: clock.now })
  const ada = await enrol(service)
  const { alg, privateKeyPem } = service.deps.signingKeys.current()
  const forge = forgeFrom(ada.accessToken, await importPKCS8(privateKeyPem, alg))
  const withClaims = async (claims: object) => `Bearer ${await forge({ claims: { ...claims } })}`
  const refusal = (parameters: string) => ({
    status: 401,
    headers: { 'WWW-Authenticate': `Bearer error="insufficient_user_authentication"${parameters}` },
  })

  const strong = await withClaims({ phr: true, roles: ['editor', 'admin'] })
  const everything = { acr: 'aal2', phr: true, maxAge: 300, roles: ['owner', 'admin'] } as const
  t.match(await verify(strong, everything), { roles: ['editor', 'admin'] })
  t.match(await verify(strong, { acr: 'aal1' }), { acr: 'aal2' }, 'a higher level will do')

  const weak = await withClaims({ acr: 'aal1' })
  t.match(await verify(weak, { acr: 'aal1' }), { acr: 'aal1' })
  t.match(await refusalOf(verify(weak, { acr: 'aal2' })), refusal(', acr_values="aal2"'))
  t.match(await refusalOf(verify(weak, { phr: true })), refusal(', acr_values="phr"'))
  t.match(
    await refusalOf(verify(weak, { acr: 'aal2', maxAge: 60 })),
    refusal(', acr_values="aal2", max_age=60'),
  )
  const service0 = await withClaims({
    acr: undefined,
    auth_time: undefined,
    sid: undefined,
    scope: 'introspect',
  })
  t.match(await refusalOf(verify(service0)), INVALID, 'a service is no person')
  const services = true
  t.match(await verify(service0, { services }), { scope: 'introspect' }, 'and is taken where it is asked for')
  t.match(await refusalOf(verify(service0, { services, acr: 'aal1' })), refusal(', acr_values="aal1"'))
  t.match(await refusalOf(verify(service0, { services, maxAge: 9e9 })), refusal(', max_age=9000000000'))

  const scope = { status: 403, challenge: 'Bearer error="insufficient_scope"' }
  t.match(await refusalOf(verify(strong, { roles: ['owner'] })), scope)
  t.match(await refusalOf(verify(weak, { roles: ['admin'] })), scope)
  t.match(await refusalOf(verify(weak, { roles: [] })), scope, 'none of no roles')

  clock.advance(310)
  t.match(await verify(strong, { maxAge: 300 }), {}, 'with the leeway')
  clock.advance(1)
  t.match(await refusalOf(verify(strong, { maxAge: 300 })), refusal(', max_age=300'))
})

t.test('keyturn/verify refuses to work with what it does not understand', async (t) => {
  const service = await startListening(t)
  const { issuer, clock } = service
  const { accessToken } = await enrol(service)
  const verify = createVerifier({ issuer, now: clock.now })
  for (const required of [
    { acr: 'phr' },
    { acr: 'AAL2' },
    { maxAge: '300' },
    { maxAge: Number.NaN },
    { role: ['admin'] },
    { roles: 'admin' },
    { phr: 'true' },
  ])
    await t.rejects(verify(`Bearer ${accessToken}`, required as never), TypeError, JSON.stringify(required))
  for (const options of [{}, { issuer: '' }, { issuer, audience: [] }, { issuer, audience: [''] }])
    t.throws(
      () => createVerifier({ ...options, jwksUri: `${issuer}/jwks.json` } as never),
      TypeError,
      JSON.stringify(options),
    )
})

t.test('a key set that cannot be had is no fault of the token', async (t) => {
  const service = await startListening(t)
  const { accessToken } = await enrol(service)
  const answers = [503, 200]
  const broken = createServer((_request, response) =>
    response.writeHead(answers.shift() ?? 200).end('broken'),
  )
  broken.listen(0, '127.0.0.1')
  t.teardown(() => broken.close())
  await new Promise((resolve) => broken.once('listening', resolve))
  const url = `http://127.0.0.1:${(broken.address() as AddressInfo).port}/jwks.json`
  for (const jwksUri of [url, url, 'http://127.0.0.1:9/'])
    await createVerifier({ issuer: service.issuer, jwksUri, now: service.clock.now })(
      `Bearer ${accessToken}`,
    ).then(
      () => t.fail('it is taken'),
      (error) => t.notOk(error instanceof TokenRefused, String(error)),
    )
})
