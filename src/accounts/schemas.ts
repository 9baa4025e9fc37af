import { Type } from 'typebox'
import { CLOSED, ref, Timestamp } from '../http/schemas.ts'
import { mfaStepMembers } from '../sign-in/schemas.ts'
import { TOKEN_MAX_LENGTH } from '../tokens/schemas.ts'
import { EMAIL_MAX, EMAIL_PATTERN } from './email-address.ts'
import { PASSWORD_MAX } from './password-rules.ts'
import { USERNAME_MAX, USERNAME_MIN, USERNAME_PATTERN } from './username.ts'

export const User = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    username: Type.String(),
    email: Type.Union([Type.String(), Type.Null()]),
    email_verified: Type.Boolean(),
    two_factor_enabled: Type.Boolean(),
    created_at: Timestamp,
  },
  {
    ...CLOSED,
    $id: 'User',
    description: 'An account, as its owner sees it',
    examples: [
      {
        id: '0197c2a4-5f0e-7c3a-9d8e-2b1f6a7c8d9e',
        username: 'ada',
        email: 'ada@example.com',
        email_verified: false,
        two_factor_enabled: true,
        created_at: '2026-11-21T09:30:00.000Z',
      },
    ],
  },
)

export const accountSchemas = [User]

const newPassword = (min: number) =>
  Type.String({
    minLength: min,
    maxLength: PASSWORD_MAX,
    description: 'Any characters, counted in code points; not a common password',
  })

const emailAddress = Type.String({ maxLength: EMAIL_MAX, pattern: EMAIL_PATTERN })

/** @param passwordMin code points; depends on whether the password may be the only factor. */
export const registerBody = (passwordMin: number) =>
  Type.Object(
    {
      username: Type.String({
        minLength: USERNAME_MIN,
        maxLength: USERNAME_MAX,
        pattern: USERNAME_PATTERN,
        description: 'Unique without regard to case',
      }),
      password: newPassword(passwordMin),
      email: Type.Optional(emailAddress),
    },
    {
      ...CLOSED,
      examples: [{ username: 'ada', password: 'correct horse battery', email: 'ada@example.com' }],
    },
  )

export const RegisterResponse = Type.Object(
  { user: ref(User), ...mfaStepMembers },
  { ...CLOSED, description: 'The account was made; its second factor is to be set up next' },
)

export const changePasswordBody = (passwordMin: number) =>
  Type.Object(
    {
      current_password: Type.String({ minLength: 1, maxLength: PASSWORD_MAX }),
      new_password: newPassword(passwordMin),
    },
    {
      ...CLOSED,
      examples: [{ current_password: 'correct horse battery', new_password: 'staple in a haystack' }],
    },
  )

export const ForgotPasswordBody = Type.Object(
  { username: Type.String({ minLength: 1, maxLength: 254 }) },
  { ...CLOSED, examples: [{ username: 'ada' }] },
)

export const resetPasswordBody = (passwordMin: number) =>
  Type.Object(
    {
      token: Type.String({ minLength: 1, maxLength: TOKEN_MAX_LENGTH, description: 'From the mail' }),
      new_password: newPassword(passwordMin),
      recovery_code: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 64,
          description: 'Needed where mail is the only second factor',
        }),
      ),
    },
    {
      ...CLOSED,
      examples: [
        { token: 'q1mKf3v0Zp7wY2s9TnXc5bLd8hJr4gAe6uQoViMzWxE', new_password: 'staple in a haystack' },
      ],
    },
  )

export const EmailBody = Type.Object(
  { email: emailAddress },
  { ...CLOSED, examples: [{ email: 'ada@example.com' }] },
)

export const EmailCodeBody = Type.Object(
  { code: Type.String({ minLength: 1, maxLength: 64 }) },
  { ...CLOSED, examples: [{ code: '492039' }] },
)
