import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import t from 'tap'
import { newClient } from '../helpers/people/clients.ts'
import { startListening } from '../helpers/service/listening.ts'
import { enrol } from '../helpers/service/service.ts'

/** OAuth libraries of others get by with the address of the service alone: every endpoint is found and used as they do it. */

/** The service is at http:// here. */
const INSECURE = { [oauth.allowInsecureRequests]: true }

/** What a call fails with. */
const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error: unknown) => error,
  )

async function discover(issuer: string): Promise<oauth.AuthorizationServer> {
  const url = new URL(issuer)
  const response = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...INSECURE })
  return oauth.processDiscoveryResponse(url, response)
}

t.test('oauth4webapi discovers, refreshes, and revokes for people', async (t) => {
  const service = await startListening(t)
  const ada = await enrol(service)
  const as = await discover(service.issuer)
  const client = { client_id: 'keyturn' }

  const refreshed = await oauth.refreshTokenGrantRequest(as, client, oauth.None(), ada.refreshToken, INSECURE)
  const tokens = await oauth.processRefreshTokenResponse(as, client, refreshed)
  t.match(tokens, { token_type: 'bearer', expires_in: 600, access_token: /./, refresh_token: /./ })

  const used = await oauth.refreshTokenGrantRequest(as, client, oauth.None(), 'x', INSECURE)
  t.match(await failureOf(oauth.processRefreshTokenResponse(as, client, used)), {
    ...{ error: 'invalid_grant', status: 400 },
  })

  const revoked = await oauth.revocationRequest(
    as,
    client,
    oauth.None(),
    String(tokens.refresh_token),
    INSECURE,
  )
  await oauth.processRevocationResponse(revoked)
  t.equal((await service.get('/me', tokens.access_token)).status, 401)
})

for (const [name, authenticate] of [
  ['client_secret_basic', oauth.ClientSecretBasic],
  ['client_secret_post', oauth.ClientSecretPost],
] as const)
  t.test(`oauth4webapi gets a service token and introspects by ${name}`, async (t) => {
    const service = await startListening(t)
    const ada = await enrol(service)
    const { id, secret } = await newClient(service)
    const as = await discover(service.issuer)
    const client = { client_id: id }

    const parameters = { scope: 'introspect', resource: service.config.audiences[0] }
    const shown = authenticate(secret)
    const granted = await oauth.clientCredentialsGrantRequest(as, client, shown, parameters, INSECURE)
    const tokens = await oauth.processClientCredentialsResponse(as, client, granted)
    t.match(tokens, { token_type: 'bearer', scope: 'introspect', expires_in: 600 })

    const asked = await oauth.introspectionRequest(as, client, shown, ada.accessToken, INSECURE)
    t.match(await oauth.processIntrospectionResponse(as, client, asked), { active: true, username: 'ada' })

    const request = new Request('https://api.example.com/', {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    })
    const claims = await oauth.validateJwtAccessToken(as, request, service.config.audiences[0], INSECURE)
    t.match(claims, { sub: id, client_id: id, scope: 'introspect' }, 'the token is one of RFC 9068')

    const wrong = authenticate('wrong')
    const refused = await oauth.clientCredentialsGrantRequest(as, client, wrong, {}, INSECURE)
    t.match(await failureOf(oauth.processClientCredentialsResponse(as, client, refused)), { status: 401 })
  })

t.test('openid-client discovers, refreshes, gets a service token, introspects and revokes', async (t) => {
  const service = await startListening(t)
  const ada = await enrol(service)
  const { id, secret } = await newClient(service)
  const options: openid.DiscoveryRequestOptions = {
    algorithm: 'oauth2',
    execute: [openid.allowInsecureRequests],
  }
  const server = new URL(service.issuer)
  const people = await openid.discovery(server, 'keyturn', undefined, openid.None(), options)
  const gateway = await openid.discovery(server, id, secret, openid.ClientSecretBasic(), options)

  const tokens = await openid.refreshTokenGrant(people, ada.refreshToken)
  t.match(await openid.tokenIntrospection(gateway, tokens.access_token), { active: true, username: 'ada' })
  const granted = await openid.clientCredentialsGrant(gateway, { scope: 'introspect' })
  t.match(granted, { token_type: 'bearer', scope: 'introspect' })
  t.match(await failureOf(openid.clientCredentialsGrant(gateway, { scope: 'admin' })), {
    error: 'invalid_scope',
  })
  t.match(
    await failureOf(
      openid.refreshTokenGrant(people, tokens.refresh_token ?? '', { resource: 'https://other' }),
    ),
    { error: 'invalid_target' },
  )

  await openid.tokenRevocation(people, tokens.refresh_token ?? '')
  t.match(await openid.tokenIntrospection(gateway, tokens.access_token), { active: false })
  t.match(await failureOf(openid.refreshTokenGrant(people, tokens.refresh_token ?? '')), {
    error: 'invalid_grant',
  })
})
