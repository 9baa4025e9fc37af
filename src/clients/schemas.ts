import { Type } from 'typebox'
import { CLOSED, Seconds } from '../http/schemas.ts'
import { Resource, TOKEN_MAX_LENGTH } from '../tokens/schemas.ts'

const CREDENTIAL_MAX_LENGTH = 256
const Credential = (description: string) =>
  Type.Optional(Type.String({ maxLength: CREDENTIAL_MAX_LENGTH, description }))

/** RFC 6749 section 2.3.1. */
export const credentialMembers = {
  client_id: Credential('Without HTTP Basic'),
  client_secret: Credential('Its secret'),
}

/** RFC 6749 sections 4.4.2 and 6, RFC 8707 section 2. */
export const TokenBody = Type.Object(
  {
    grant_type: Type.String({ maxLength: 256, description: '`refresh_token` or `client_credentials`' }),
    refresh_token: Type.Optional(Type.String({ maxLength: TOKEN_MAX_LENGTH })),
    scope: Type.Optional(Type.String({ maxLength: 256, description: 'For a service client: `introspect`' })),
    resource: Resource,
    ...credentialMembers,
  },
  CLOSED,
)

/** RFC 6749 section 5.1. */
export const OAuthTokensSchema = Type.Object(
  {
    access_token: Type.String(),
    token_type: Type.Literal('Bearer'),
    expires_in: Seconds('Lifetime of the access token in seconds'),
    refresh_token: Type.Optional(Type.String({ description: 'For a refresh token' })),
    refresh_expires_in: Type.Optional(Seconds('Lifetime of the refresh token in seconds, unless it is used')),
    scope: Type.Optional(Type.String({ description: 'The scope of a service token, if it has one' })),
  },
  { ...CLOSED, $id: 'OAuthTokens', description: 'Tokens, in the format of OAuth' },
)

export const clientSchemas = [OAuthTokensSchema]
