import { Type } from 'typebox'
import { CLOSED, ref, Seconds } from '../http/schemas.ts'
import { TokenResponse } from '../tokens/schemas.ts'
import { METHODS } from '../two-factor/factors.ts'

/** Answers after a right password, when a second factor is owed. */
export const mfaStepMembers = {
  mfa_required: Type.Literal(true),
  mfa_token: Type.String({ description: 'Opens /2fa/setup, /2fa/email and /2fa/verify, and nothing else' }),
  token_type: Type.Literal('Bearer'),
  expires_in: Seconds('Life of the mfa token'),
  enrolled: Type.Boolean({ description: 'Whether the account has a second factor' }),
  methods: Type.Array(Type.Enum([...METHODS]), {
    description: 'What /2fa/verify takes now; when `enrolled` is false, what can be enrolled',
  }),
}

export const MfaStep = Type.Object(mfaStepMembers, {
  ...CLOSED,
  $id: 'MfaStep',
  description: 'The password was right, a second factor is owed',
  examples: [
    {
      mfa_required: true,
      mfa_token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6Im1mYStqd3QifQ…',
      token_type: 'Bearer',
      expires_in: 300,
      enrolled: true,
      methods: ['totp', 'recovery_code'],
    },
  ],
})

/** Under `MFA_POLICY=optional`, for an account without a factor. */
export const PasswordOnly = Type.Object(
  { mfa_required: Type.Literal(false), ...TokenResponse.properties },
  {
    ...CLOSED,
    $id: 'PasswordOnly',
    description: 'The password was right, and nothing more is asked for',
  },
)

export const signInSchemas = [MfaStep, PasswordOnly]

/** Any text may be tried: what a username looks like is no secret, but not this route's business either. */
export const LoginBody = Type.Object(
  {
    username: Type.String({ minLength: 1, maxLength: 254 }),
    password: Type.String({ minLength: 1, maxLength: 128 }),
  },
  { ...CLOSED, examples: [{ username: 'ada', password: 'correct horse battery' }] },
)

export const LoginResponse = Type.Union([ref(MfaStep), ref(PasswordOnly)], {
  description: 'The password was right',
})
