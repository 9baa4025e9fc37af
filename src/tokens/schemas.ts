import { Type } from 'typebox'
import { CLOSED, Seconds } from '../http/schemas.ts'

export const TokenResponse = Type.Object(
  {
    access_token: Type.String({ description: 'A JWT of type `at+jwt` (RFC 9068)' }),
    token_type: Type.Literal('Bearer'),
    expires_in: Seconds('Life of the access token'),
    refresh_token: Type.String({ description: 'Opaque; for /token/refresh' }),
    refresh_expires_in: Seconds('Life of the refresh token, if it is not used'),
  },
  {
    ...CLOSED,
    $id: 'TokenResponse',
    description: 'Tokens of a session',
    examples: [
      {
        access_token: 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9…',
        token_type: 'Bearer',
        expires_in: 600,
        refresh_token: 'q1mKf3v0Zp7wY2s9TnXc5bLd8hJr4gAe6uQoViMzWxE',
        refresh_expires_in: 2592000,
      },
    ],
  },
)

export const tokenSchemas = [TokenResponse]

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
  { ...CLOSED, description: 'The public keys that access tokens are signed with' },
)
