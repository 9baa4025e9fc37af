import { Type } from 'typebox'
import { CLOSED, Seconds, Timestamp } from '../http/schemas.ts'
import { ACRS } from './assurance.ts'

const exampleAccessToken = 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9…'
const exampleRefreshToken = 'q1mKf3v0Zp7wY2s9TnXc5bLd8hJr4gAe6uQoViMzWxE'

const accessTokenMembers = {
  access_token: Type.String({ description: 'A JWT of type `at+jwt` (RFC 9068)' }),
  token_type: Type.Literal('Bearer'),
  expires_in: Seconds('Life of the access token'),
}

export const TokenResponse = Type.Object(
  {
    ...accessTokenMembers,
    refresh_token: Type.String({ description: 'Opaque; for /token/refresh' }),
    refresh_expires_in: Seconds('Life of the refresh token, if it is not used'),
  },
  {
    ...CLOSED,
    $id: 'TokenResponse',
    description: 'Tokens of a session',
    examples: [
      {
        access_token: exampleAccessToken,
        token_type: 'Bearer',
        expires_in: 600,
        refresh_token: exampleRefreshToken,
        refresh_expires_in: 2592000,
      },
    ],
  },
)

export const AccessTokenResponse = Type.Object(accessTokenMembers, {
  ...CLOSED,
  $id: 'AccessTokenResponse',
  description: 'An access token of the same session; its refresh token stays as it is',
  examples: [{ access_token: exampleAccessToken, token_type: 'Bearer', expires_in: 600 }],
})

const Amr = Type.Array(Type.String(), {
  description: 'Methods used (RFC 8176)',
  examples: [['pwd', 'otp', 'mfa']],
})

export const Session = Type.Object(
  {
    id: Type.String({ format: 'uuid', description: 'The `sid` of its access tokens' }),
    created_at: Timestamp,
    last_used_at: Timestamp,
    ip: Type.String({ description: 'Where it was used last' }),
    user_agent: Type.String(),
    amr: Amr,
    current: Type.Boolean({ description: 'Whether it is the session of this access token' }),
  },
  { ...CLOSED, $id: 'Session', description: 'One login' },
)

/** RFC 7662 section 2.2. */
export const Introspection = Type.Object(
  {
    active: Type.Boolean(),
    token_type: Type.Optional(Type.Literal('Bearer')),
    iss: Type.Optional(Type.String()),
    sub: Type.Optional(Type.String()),
    aud: Type.Optional(Type.String()),
    exp: Type.Optional(Type.Integer()),
    iat: Type.Optional(Type.Integer()),
    jti: Type.Optional(Type.String()),
    client_id: Type.Optional(Type.String()),
    sid: Type.Optional(Type.String()),
    username: Type.Optional(Type.String()),
    amr: Type.Optional(Amr),
    acr: Type.Optional(Type.Enum([...ACRS])),
    auth_time: Type.Optional(Type.Integer()),
  },
  {
    ...CLOSED,
    $id: 'Introspection',
    description: 'The claims of a live access token, or `active: false` and nothing else',
    examples: [{ active: false }],
  },
)

export const tokenSchemas = [TokenResponse, AccessTokenResponse, Session, Introspection]

/** Longer than any token: one that is sent in the place of another is told that it is not valid there. */
export const TOKEN_MAX_LENGTH = 8192

export const RefreshBody = Type.Object(
  { refresh_token: Type.String({ minLength: 1, maxLength: TOKEN_MAX_LENGTH }) },
  { ...CLOSED, examples: [{ refresh_token: exampleRefreshToken }] },
)

export const IntrospectBody = Type.Object(
  {
    token: Type.String({ minLength: 1, maxLength: TOKEN_MAX_LENGTH }),
    token_type_hint: Type.Optional(
      Type.String({ maxLength: 64, description: 'Not needed, and not looked at' }),
    ),
  },
  { ...CLOSED, examples: [{ token: exampleAccessToken }] },
)

/** PostgreSQL has no text with a NUL, and refuses to be asked for one. */
export const SessionId = Type.Object({ id: Type.String({ maxLength: 64, pattern: '^[^\\u0000]*$' }) }, CLOSED)

/** RFC 7517 section 5. */
export const JwkSet = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        {
          kty: Type.String(),
          crv: Type.String(),
          x: Type.String(),
          y: Type.Optional(Type.String()),
          kid: Type.String(),
          alg: Type.String(),
          use: Type.String(),
        },
        CLOSED,
      ),
    ),
  },
  {
    ...CLOSED,
    description: 'The public keys of access tokens: today’s, the next one and those still in use',
  },
)

/** RFC 8414 section 2. */
export const ServerMetadata = Type.Object(
  {
    issuer: Type.String(),
    jwks_uri: Type.String(),
    token_endpoint: Type.String(),
    introspection_endpoint: Type.String(),
    introspection_endpoint_auth_methods_supported: Type.Array(Type.String()),
    grant_types_supported: Type.Array(Type.String()),
    response_types_supported: Type.Array(Type.String()),
    token_endpoint_auth_methods_supported: Type.Array(Type.String()),
    service_documentation: Type.Optional(Type.String()),
  },
  { ...CLOSED, description: 'Where a service that trusts these tokens finds what it needs' },
)
