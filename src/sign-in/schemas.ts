import { Type } from 'typebox'
import { METHODS } from '../factors/answer-body.ts'
import { CLOSED, ref, Seconds, TRIMMED } from '../http/schemas.ts'
import { signInMembers } from '../tokens/schemas.ts'
import { EMAIL_MAX } from '../values/email-address.ts'

/** Members of the answer to a right password when a second factor is needed. */
export const mfaStepMembers = {
  mfa_required: Type.Literal(true),
  mfa_token: Type.String({
    description:
      'Valid only for /2fa/setup, /2fa/passkeys, /2fa/email and /2fa/verify, and what begins a passkey',
  }),
  token_type: Type.Literal('Bearer'),
  expires_in: Seconds('Lifetime of the mfa token in seconds'),
  enrolled: Type.Boolean({ description: 'Whether the account has a second factor' }),
  enrolment_code_required: Type.Optional(
    Type.Literal(true, {
      description:
        'Send the code from the operator to /2fa/setup or /2fa/passkeys/options as `enrolment_code`',
    }),
  ),
  methods: Type.Array(Type.Enum([...METHODS]), {
    description: 'Methods that /2fa/verify accepts now; if `enrolled` is false, methods that can be set up',
  }),
}

export const MfaStepSchema = Type.Object(mfaStepMembers, {
  ...CLOSED,
  $id: 'MfaStep',
  description: 'The password is correct. A second factor is required',
})

export const passwordOnlyMembers = { mfa_required: Type.Literal(false), ...signInMembers }

/** Under `MFA_POLICY=optional`, for an account without a factor. */
export const PasswordOnlySchema = Type.Object(passwordOnlyMembers, {
  ...CLOSED,
  $id: 'PasswordOnly',
  description: 'The password is correct. No second factor is required',
})

export const signInSchemas = [MfaStepSchema, PasswordOnlySchema]

/** A password that is compared: an imported one may be longer than a new one. */
export const PresentPassword = Type.String({ minLength: 1, maxLength: 1024 })

/** Accepts any text: the format of usernames is no secret, but these routes do not need to check it. */
export const TypedUsername = Type.String({
  ...TRIMMED,
  minLength: 1,
  maxLength: EMAIL_MAX,
  description: 'Or a verified address of the account',
})

export const LoginBody = Type.Object(
  {
    username: TypedUsername,
    password: PresentPassword,
    recovery_code: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: 'Signs in at once, even during a pause after wrong passwords or codes',
      }),
    ),
  },
  CLOSED,
)

export const LoginResponse = Type.Union([ref(MfaStepSchema), ref(PasswordOnlySchema)], {
  description: 'The password is correct',
})
