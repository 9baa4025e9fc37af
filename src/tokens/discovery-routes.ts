import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AppError } from '../errors.ts'
import { acceptForm } from '../http/form-body.ts'
import { ref } from '../http/schemas.ts'
import { JWKS_MAX_AGE } from './key-schedule.ts'
import { IntrospectBody, Introspection, JwkSet, ServerMetadata } from './schemas.ts'
import type { FindSignedIn } from './signed-in.ts'
import type { SigningKeys } from './signing-keys.ts'

const tags = ['Tokens']

/** Public documents: any page and any cache may have them. */
const PUBLIC_DOCUMENT = {
  'cache-control': `public, max-age=${JWKS_MAX_AGE}`,
  'cross-origin-resource-policy': 'cross-origin',
}

/** Open to everybody: what a service needs to check tokens by itself. */
export const discoveryRoutes: FastifyPluginAsyncTypebox<{
  signingKeys: SigningKeys
  issuer: string
  docs: boolean
}> = async (app, { signingKeys, issuer, docs }) => {
  app.get(
    '/.well-known/jwks.json',
    {
      schema: {
        operationId: 'getJwks',
        tags,
        summary: 'The keys to check access tokens with (RFC 7517)',
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
        summary: 'The issuer and its endpoints (RFC 8414)',
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

/** For an access token: a caller shows its own to ask about another. */
export const introspectionRoutes: FastifyPluginAsyncTypebox<{ findSignedIn: FindSignedIn }> = async (
  app,
  { findSignedIn },
) => {
  acceptForm(app)
  app.post(
    '/token/introspect',
    {
      // A form that has a parameter twice.
      config: { problems: ['bad_request'] },
      schema: {
        operationId: 'introspect',
        tags,
        summary: 'Whether an access token is live (RFC 7662)',
        description:
          'For services that must notice at once when a session ends. The answer for an unknown, expired, ended or foreign token is `{"active": false}`.',
        consumes: ['application/json', 'application/x-www-form-urlencoded'],
        body: IntrospectBody,
        response: { 200: ref(Introspection) },
      },
    },
    async (request) => {
      try {
        const claims = await request.accessClaims(request.body.token)
        await findSignedIn(claims)
        return { active: true, token_type: 'Bearer' as const, ...claims, amr: [...claims.amr] }
      } catch (error) {
        if (error instanceof AppError && error.code === 'invalid_token') return { active: false }
        throw error
      }
    },
  )
}
