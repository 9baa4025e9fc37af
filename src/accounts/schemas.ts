import type { FastifySchemaCompiler } from 'fastify'
import { Type } from 'typebox'
import { asMeant, compileValidator, validatorBy } from '../http/schema-compilers.ts'
import { CLOSED, NumericCode, ref, Timestamp, TRIMMED } from '../http/schemas.ts'
import { mfaStepMembers, PresentPassword, passwordOnlyMembers, TypedUsername } from '../sign-in/schemas.ts'
import { TOKEN_MAX_LENGTH } from '../tokens/schemas.ts'
import { EMAIL_MAX } from '../values/email-address.ts'
import { USERNAME_MAX, USERNAME_MIN, USERNAME_PATTERNS, type Usernames } from '../values/username.ts'
import { PASSWORD_MAX } from './password-rules.ts'

export const UserSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    username: Type.String(),
    email: Type.Union([Type.String(), Type.Null()]),
    email_verified: Type.Boolean(),
    two_factor_enabled: Type.Boolean(),
    roles: Type.Array(Type.String(), {
      description: 'Set by an operator. Access tokens have them from the next refresh on',
    }),
    created_at: Timestamp,
  },
  { ...CLOSED, $id: 'User', description: 'An account, as its owner sees it' },
)

export const accountSchemas = [UserSchema]

const newPassword = (min: number) =>
  Type.String({
    maxLength: PASSWORD_MAX,
    description: `At least ${min} of any characters, counted in code points; common passwords are rejected`,
  })

const emailAddress = Type.String({
  format: 'idn-email',
  minLength: 3,
  maxLength: EMAIL_MAX,
  description: 'ASCII before the @. A domain in another script is stored as punycode',
})

/** `passwordMin`: code points; depends on whether the password may be the only factor. */
export const registerBody = ({ passwordMin, usernames }: { passwordMin: number; usernames: Usernames }) =>
  Type.Object(
    {
      username: Type.String({
        ...TRIMMED,
        minLength: USERNAME_MIN,
        maxLength: USERNAME_MAX,
        pattern: USERNAME_PATTERNS[usernames],
        description: 'Unique, ignoring case. Blanks around it are removed',
      }),
      password: newPassword(passwordMin),
      email: Type.Optional(emailAddress),
    },
    CLOSED,
  )

/** What `/login` would answer, and the account. */
export const RegisterResponse = Type.Union(
  [
    Type.Object({ user: ref(UserSchema), ...mfaStepMembers }, CLOSED),
    Type.Object({ user: ref(UserSchema), ...passwordOnlyMembers }, CLOSED),
  ],
  { description: 'The account is created. If a second factor is required, set it up next' },
)

export const changePasswordBody = (passwordMin: number) =>
  Type.Object(
    {
      current_password: PresentPassword,
      new_password: newPassword(passwordMin),
    },
    CLOSED,
  )

export const ForgotPasswordBody = Type.Object({ username: TypedUsername }, CLOSED)

const mailedToken = Type.String({ minLength: 1, maxLength: TOKEN_MAX_LENGTH, description: 'From the email' })

export const resetPasswordBody = (passwordMin: number) =>
  Type.Object(
    {
      token: mailedToken,
      new_password: newPassword(passwordMin),
      recovery_code: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 64,
          description: 'Required if email is the only second factor',
        }),
      ),
    },
    CLOSED,
  )

export const EmailBody = Type.Object({ email: emailAddress }, CLOSED)

const EmailCodeBody = Type.Object({ code: NumericCode }, CLOSED)
const EmailLinkBody = Type.Object({ token: mailedToken }, CLOSED)
const CodeOrLink = Type.Partial(Type.Object({ ...EmailCodeBody.properties, ...EmailLinkBody.properties }))

/** The code within a session, or the token of the link without one. */
export const ProveEmailBody = Type.Union([EmailCodeBody, EmailLinkBody])

/** By the member that is there: a union would report the faults of both. */
export const proveEmailValidator: FastifySchemaCompiler<unknown> = (route) => {
  const [byCode, byLink] = [EmailCodeBody, EmailLinkBody].map((schema) =>
    compileValidator({ ...route, schema }),
  ) as [ReturnType<typeof compileValidator>, ReturnType<typeof compileValidator>]
  return validatorBy((body) => {
    asMeant(CodeOrLink, body)
    return (body as { token?: unknown } | null)?.token === undefined ? byCode : byLink
  })
}

/** Who has the link knows the address, and need not learn whose account it is. */
export const ProvenByLink = Type.Object(
  { email: Type.String({ description: 'The proven address, masked' }) },
  CLOSED,
)
