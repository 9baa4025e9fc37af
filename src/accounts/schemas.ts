import { Type } from 'typebox'
import { CLOSED, ref, Timestamp } from '../http/schemas.ts'
import { mfaStepMembers } from '../sign-in/schemas.ts'
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
      password: Type.String({
        minLength: passwordMin,
        maxLength: PASSWORD_MAX,
        description: 'Any characters, counted in code points; not a common password',
      }),
      email: Type.Optional(Type.String({ maxLength: EMAIL_MAX, pattern: EMAIL_PATTERN })),
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
