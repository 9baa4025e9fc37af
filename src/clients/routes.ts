import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AppError, invalidClient } from '../errors.ts'
import { callerOf } from '../http/caller.ts'
import { acceptForm, FORM } from '../http/form-body.ts'
import { NO_QUERY, ref } from '../http/schemas.ts'
import { texts } from '../texts/texts.ts'
import { refresh } from '../tokens/refresh.ts'
import { RefreshHeaders } from '../tokens/schemas.ts'
import { tokenResponse } from '../tokens/token-response.ts'
import { authenticate } from './authenticate.ts'
import type { Client } from './client.ts'
import type { ClientsRoom } from './room.ts'
import { OAuthTokensSchema, TokenBody } from './schemas.ts'

/** Without an access token: what it takes is in the body, and for service clients perhaps in the header. */
export const tokenRoutes: FastifyPluginAsyncTypebox<{ room: ClientsRoom }> = async (app, { room }) => {
  app.removeContentTypeParser('application/json')
  acceptForm(app, Object.keys(TokenBody.properties))
  app.post(
    '/token',
    {
      config: { oauthErrors: 'all', limit: 'client' },
      schema: {
        operationId: 'requestToken',
        tags: ['Tokens'],
        summary: 'Exchange a refresh token, or the secret of a service client, for tokens (RFC 6749)',
        description:
          'The token endpoint for OAuth libraries. People use the public client `keyturn`. A service client sends its secret by HTTP Basic or in the form.',
        consumes: [FORM],
        headers: RefreshHeaders,
        querystring: NO_QUERY,
        body: TokenBody,
        response: { 200: ref(OAuthTokensSchema) },
      },
    },
    async (request) => {
      const { grant_type: grant, refresh_token: token, scope, resource } = request.body
      const client = await authenticate(room, request)
      if (!client) await request.countRequest?.('general')
      if (grant !== 'refresh_token' && grant !== 'client_credentials')
        throw new AppError('unsupported_grant_type', texts.details.noSuchGrant)
      if (resource !== undefined && !room.audiences.includes(resource))
        throw new AppError('invalid_target', texts.details.noSuchAudience)

      if (grant === 'client_credentials') {
        if (!client) throw invalidClient('no client has shown itself')
        return serviceToken(room, client, scope, resource)
      }
      if (client) throw new AppError('unauthorized_client', texts.details.grantForPeople)
      if (scope !== undefined) throw new AppError('invalid_scope', texts.details.noScopeForPeople)
      if (token === undefined) throw new AppError('invalid_request', texts.details.refreshTokenMissing)
      const shown = { token, idempotencyKey: request.headers['idempotency-key'] }
      return tokenResponse(room, await refresh(room, shown, callerOf(request)), resource)
    },
  )
}

/** A token for another service has a scope only where that is asked for: who gets it could use it here. */
function serviceToken({ accessTokens }: ClientsRoom, client: Client, scope?: string, resource?: string) {
  const scopes = scope?.split(' ') ?? (resource === undefined ? client.scopes : [])
  if (!scopes.every((one) => client.scopes.includes(one)))
    throw new AppError('invalid_scope', texts.details.scopeNotGiven)
  return {
    access_token: accessTokens.issueService({ id: client.id, scopes }, resource),
    token_type: 'Bearer' as const,
    expires_in: accessTokens.ttl,
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
  }
}
