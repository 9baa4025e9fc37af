import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { JWKS_MAX_AGE } from './key-schedule.ts'
import type { TokensRoom } from './room.ts'
import { JwkSet, ServerMetadata } from './schemas.ts'

const tags = ['Tokens']

/** How a service client shows its secret. */
const BY_SECRET = ['client_secret_basic', 'client_secret_post']

/** Public documents, which any page may read and any cache may keep. */
const PUBLIC_DOCUMENT = {
  'cache-control': `public, max-age=${JWKS_MAX_AGE}`,
  'cross-origin-resource-policy': 'cross-origin',
}

/** Without a token: what a service needs to check tokens by itself. */
export const discoveryRoutes: FastifyPluginAsyncTypebox<{ room: TokensRoom }> = async (app, { room }) => {
  const { docs, issuer, signingKeys } = room
  app.get(
    '/.well-known/jwks.json',
    {
      schema: {
        operationId: 'getJwks',
        tags,
        summary: 'Get the public keys that verify access tokens (RFC 7517)',
        description:
          'A service caches them, and fetches them again when a token names a key that it does not know.',
        response: { 200: JwkSet },
      },
    },
    async (_request, reply) => {
      reply.headers(PUBLIC_DOCUMENT)
      return signingKeys.jwks()
    },
  )

  app.get(
    '/.well-known/oauth-authorization-server',
    {
      schema: {
        operationId: 'getServerMetadata',
        tags,
        summary: 'Get the issuer and its endpoints (RFC 8414)',
        description: 'OAuth libraries use it to find the other endpoints.',
        response: { 200: ServerMetadata },
      },
    },
    async (_request, reply) => {
      reply.headers(PUBLIC_DOCUMENT)
      return {
        issuer,
        jwks_uri: `${issuer}/.well-known/jwks.json`,
        token_endpoint: `${issuer}/token`,
        token_endpoint_auth_methods_supported: ['none', ...BY_SECRET],
        grant_types_supported: ['refresh_token', 'client_credentials'],
        scopes_supported: ['introspect'],
        response_types_supported: [],
        revocation_endpoint: `${issuer}/token/revoke`,
        revocation_endpoint_auth_methods_supported: ['none'],
        introspection_endpoint: `${issuer}/token/introspect`,
        introspection_endpoint_auth_methods_supported: [...BY_SECRET, 'Bearer'],
        ...(docs && { service_documentation: `${issuer}/docs` }),
      }
    },
  )
}
