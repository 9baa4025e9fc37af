import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import { AppError } from '../errors.ts'
import { acceptForm, FORM } from '../http/form-body.ts'
import { CLOSED, NO_QUERY, ref } from '../http/schemas.ts'
import { IntrospectBody, IntrospectionSchema } from '../tokens/schemas.ts'
import { findSignedIn } from '../tokens/signed-in.ts'
import { clientOfToken } from './authenticate.ts'
import type { ClientsRoom } from './room.ts'
import { credentialMembers } from './schemas.ts'

const Body = Type.Object({ ...IntrospectBody.properties, ...credentialMembers }, CLOSED)

/** For a service client with the scope for it, or an access token, which sees its own session. */
export const introspectionRoutes: FastifyPluginAsyncTypebox<{ room: ClientsRoom }> = async (
  app,
  { room },
) => {
  acceptForm(app, Object.keys(Body.properties))
  app.post(
    '/token/introspect',
    {
      // For a form that has a parameter twice.
      config: { limit: 'client', oauthErrors: 'client', problems: ['bad_request', 'too_many_attempts'] },
      schema: {
        operationId: 'introspectToken',
        tags: ['Tokens'],
        summary: 'Check whether an access token is active (RFC 7662)',
        description:
          'For services that must notice at once when a session ends. A service client authenticates with its secret or its own token, and sees tokens for its audience. A person sees the tokens of their own session. For any other token the answer is `{"active": false}`.',
        consumes: ['application/json', FORM],
        querystring: NO_QUERY,
        body: Body,
        response: { 200: ref(IntrospectionSchema) },
      },
    },
    async (request): Promise<Static<typeof IntrospectionSchema>> => {
      const asking = request.principal('client', 'access')
      try {
        const claims = await request.eitherClaims(request.body.token)
        if (asking.kind === 'access') {
          // The guard has found this session, and its account.
          if (!('sid' in claims) || claims.sid !== asking.session.id || claims.sub !== asking.account.id)
            return { active: false }
        } else if (!asking.client.audiences.includes(claims.aud)) return { active: false }
        else if ('sid' in claims) await findSignedIn(room, claims)
        else await clientOfToken(room, claims)
        const { amr, ...others }: { amr?: readonly string[] } & typeof claims = claims
        return { active: true, token_type: 'Bearer', ...others, ...(amr && { amr: [...amr] }) }
      } catch (error) {
        if (error instanceof AppError && error.code === 'invalid_token') return { active: false }
        throw error
      }
    },
  )
}
