import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AppError } from '../errors.ts'
import { acceptForm } from '../http/form-body.ts'
import { ref } from '../http/schemas.ts'
import { JWKS_MAX_AGE } from './key-schedule.ts'
import type { TokensRoom } from './room.ts'
import { IntrospectBody, IntrospectionSchema, JwkSet, ServerMetadata } from './schemas.ts'
import { findSignedIn } from './signed-in.ts'

const tags = ['Tokens']

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
        response: { 200: ServerMetadata },
      },
    },
    async (_request, reply) => {
      reply.headers(PUBLIC_DOCUMENT)
      return {
        issuer,
        jwks_uri: `${issuer}/.well-known/jwks.json`,
        token_endpoint: `${issuer}/token/refresh`,
        introspection_endpoint: `${issuer}/token/introspect`,
        introspection_endpoint_auth_methods_supported: ['Bearer'],
        grant_types_supported: ['refresh_token'],
        response_types_supported: [],
        token_endpoint_auth_methods_supported: ['none'],
        ...(docs && { service_documentation: `${issuer}/docs` }),
      }
    },
  )
}

/** For an access token: the caller shows its own to ask about another. */
export const introspectionRoutes: FastifyPluginAsyncTypebox<{ room: TokensRoom }> = async (app, { room }) => {
  acceptForm(app)
  app.post(
    '/token/introspect',
    {
      // For a form that has a parameter twice.
      config: { problems: ['bad_request'] },
      schema: {
        operationId: 'introspectToken',
        tags,
        summary: 'Check whether an access token is active (RFC 7662)',
        description:
          'For services that must notice at once when a session ends. For a token that is unknown, expired, revoked or from another service, the answer is `{"active": false}`.',
        consumes: ['application/json', 'application/x-www-form-urlencoded'],
        body: IntrospectBody,
        response: { 200: ref(IntrospectionSchema) },
      },
    },
    async (request) => {
      try {
        const claims = await request.accessClaims(request.body.token)
        await findSignedIn(room, claims)
        return { active: true, token_type: 'Bearer' as const, ...claims, amr: [...claims.amr] }
      } catch (error) {
        if (error instanceof AppError && error.code === 'invalid_token') return { active: false }
        throw error
      }
    },
  )
}
