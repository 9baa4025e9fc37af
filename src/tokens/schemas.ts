import { Type } from 'typebox'
import { NextPage, pageQuery } from '../http/paging.ts'
import { CLOSED, NullableTime, ref, Seconds, Timestamp } from '../http/schemas.ts'
import { ACRS } from './assurance.ts'

const accessTokenMembers = {
  access_token: Type.String({ description: 'A JWT of type `at+jwt` (RFC 9068)' }),
  token_type: Type.Literal('Bearer'),
  expires_in: Seconds('Lifetime of the access token in seconds'),
}

export const TokenResponseSchema = Type.Object(
  {
    ...accessTokenMembers,
    refresh_token: Type.String({ description: 'Opaque. Send it to /token/refresh' }),
    refresh_expires_in: Seconds('Lifetime of the refresh token in seconds, unless it is used'),
  },
  { ...CLOSED, $id: 'TokenResponse', description: 'The tokens of a session' },
)

const accountTokenMembers = {
  account_token: Type.Optional(
    Type.String({
      description:
        'Valid for one change to the account (password, address, factors, recovery codes, deletion). Present only if the password and the best factor of the account were used within the last 300 s.',
    }),
  ),
  account_expires_in: Type.Optional(Seconds('Lifetime of the account token in seconds')),
}

/** Members of the answer to a sign-in. */
export const signInMembers = { ...TokenResponseSchema.properties, ...accountTokenMembers }

export const StepUpResponseSchema = Type.Object(
  { ...accessTokenMembers, ...accountTokenMembers },
  {
    ...CLOSED,
    $id: 'StepUpResponse',
    description: 'A new access token for the same session. The refresh token does not change',
  },
)

const Amr = Type.Array(Type.String(), {
  description: 'Authentication methods (RFC 8176)',
  examples: [['pwd', 'otp', 'mfa']],
})

export const SessionSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid', description: 'The `sid` of its access tokens' }),
    created_at: Timestamp,
    last_used_at: Timestamp,
    ip: Type.String({ description: 'IP address of the last use' }),
    user_agent: Type.String(),
    amr: Amr,
    refresh_repeated_at: Type.Union(NullableTime.anyOf, {
      description:
        'The last time that a refresh was answered a second time. This happens after a lost answer, but a thief in the same network could also have sent the second request',
    }),
    current: Type.Boolean({ description: 'Whether this is the session of the access token in use' }),
  },
  { ...CLOSED, $id: 'Session', description: 'A session of the account' },
)

export const SessionPage = Type.Object(
  {
    sessions: Type.Array(ref(SessionSchema), { description: 'Most recently used first' }),
    next: NextPage,
  },
  { ...CLOSED, description: 'A page of active sessions' },
)

/** Where a page begins: when the last session of the page before was used, and its id. */
export const SessionQuery = pageQuery('Sessions', '^[0-9]{1,16}\\.[^\\u0000]+$')

/** RFC 7662 section 2.2. */
export const IntrospectionSchema = Type.Object(
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
    phr: Type.Optional(Type.Literal(true)),
    auth_time: Type.Optional(Type.Integer()),
    roles: Type.Optional(Type.Array(Type.String(), { description: 'The roles in the token' })),
    scope: Type.Optional(Type.String({ description: 'The scope of a service token, which has no `sid`' })),
  },
  {
    ...CLOSED,
    $id: 'Introspection',
    description: 'The claims of an active access token, or `active: false` alone',
  },
)

export const tokenSchemas = [TokenResponseSchema, StepUpResponseSchema, SessionSchema, IntrospectionSchema]

/** Longer than any token, so that a token of another kind in its place is answered as not valid there. */
export const TOKEN_MAX_LENGTH = 8192

/** RFC 8707 section 2. */
export const Resource = Type.Optional(
  Type.String({
    maxLength: 2048,
    description: 'The audience of the access token: the first of `AUDIENCE`, or another one',
  }),
)

const RefreshToken = Type.String({ minLength: 1, maxLength: TOKEN_MAX_LENGTH })

export const LogoutBody = Type.Object({ refresh_token: Type.Optional(RefreshToken) }, CLOSED)

export const RefreshBody = Type.Object({ refresh_token: RefreshToken, resource: Resource }, CLOSED)

export const RefreshHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 16,
      maxLength: 255,
      description:
        'A random value. Store it with the refresh token before you send it, and send it with each repeat. A repeat with it is answered no matter how late it comes. A thief who has copied the token does not know it.',
      examples: ['0c8a6a3e-9a0f-4b57-8f0f-6c1a3c3c1c55'],
    }),
  ),
})

export const IntrospectBody = Type.Object(
  {
    token: Type.String({ minLength: 1, maxLength: TOKEN_MAX_LENGTH }),
    token_type_hint: Type.Optional(Type.String({ maxLength: 64, description: 'Accepted and ignored' })),
  },
  CLOSED,
)

/** PostgreSQL has no text with a NUL and refuses a query with one. */
export const SessionId = Type.Object({ id: Type.String({ maxLength: 64, pattern: '^[^\\u0000]*$' }) }, CLOSED)

/** RFC 7517 section 5. */
export const JwkSet = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        {
          kty: Type.String(),
          crv: Type.Optional(Type.String()),
          x: Type.Optional(Type.String()),
          y: Type.Optional(Type.String()),
          n: Type.Optional(Type.String()),
          e: Type.Optional(Type.String()),
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
    description:
      'The public keys of access tokens: the current key, the next one, and older ones that are still in use',
  },
)

/** RFC 8414 section 2. */
export const ServerMetadata = Type.Object(
  {
    issuer: Type.String(),
    jwks_uri: Type.String(),
    token_endpoint: Type.String(),
    token_endpoint_auth_methods_supported: Type.Array(Type.String()),
    grant_types_supported: Type.Array(Type.String()),
    scopes_supported: Type.Array(Type.String()),
    response_types_supported: Type.Array(Type.String()),
    revocation_endpoint: Type.String(),
    revocation_endpoint_auth_methods_supported: Type.Array(Type.String()),
    introspection_endpoint: Type.String(),
    introspection_endpoint_auth_methods_supported: Type.Array(Type.String()),
    service_documentation: Type.Optional(Type.String()),
  },
  { ...CLOSED, description: 'The metadata of the authorization server' },
)
