import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { JwkSet } from './schemas.ts'
import type { SigningKeys } from './signing-keys.ts'

/** How long a verifier may keep the key set, in seconds. */
export const JWKS_MAX_AGE = 300

/** Open to everybody. */
export const jwksRoutes: FastifyPluginAsyncTypebox<{ signingKeys: SigningKeys }> = async (
  app,
  { signingKeys },
) => {
  app.get(
    '/.well-known/jwks.json',
    {
      schema: {
        operationId: 'getJwks',
        tags: ['Tokens'],
        summary: 'The keys to check access tokens with (RFC 7517)',
        response: { 200: JwkSet },
      },
    },
    async (_request, reply) => {
      reply.headers({
        'cache-control': `public, max-age=${JWKS_MAX_AGE}`,
        'cross-origin-resource-policy': 'cross-origin',
      })
      return signingKeys.jwks()
    },
  )
}
