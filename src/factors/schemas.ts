import { type Static, Type } from 'typebox'
import { CLOSED, NullableTime, Timestamp } from '../http/schemas.ts'
import { rfc3339 } from '../platform/clock.ts'
import { signInMembers, TokenResponseSchema } from '../tokens/schemas.ts'
import { signInResponse, tokenResponse } from '../tokens/token-response.ts'
import type { OwnFactor } from './describe.ts'
import type { EnrolledInSession } from './enrol-in-session.ts'
import type { FactorsRoom } from './room.ts'
import type { Verified } from './verify.ts'

const recoveryCodes = {
  recovery_codes: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Ten codes in case the phone is lost. They are returned only once, with the first factor',
    }),
  ),
}

export const SignInSchema = Type.Object(
  { ...signInMembers, ...recoveryCodes },
  { ...CLOSED, $id: 'SignIn', description: 'Signed in: the code is correct' },
)

export const ConfirmedSchema = Type.Object(
  { ...TokenResponseSchema.properties, ...recoveryCodes },
  {
    ...CLOSED,
    $id: 'Confirmed',
    description: 'The factor is active. These are the tokens of a new session; all other sessions have ended',
  },
)

/** What the beginning of an enrolment takes where an operator has asked for it. */
export const EnrolmentCode = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 64,
    description:
      'Required if the sign-in says `enrolment_code_required`: the code that an operator handed out',
  }),
)

/** Neither control characters nor those that turn the direction of writing (Unicode Annex 9), and not blanks alone. */
const NOT_SHOWN = '\\p{C}\\u2028\\u2029\\u115F\\u1160\\u3164\\uFFA0'

export const FactorName = Type.String({
  maxLength: 64,
  pattern: `^ *[^ ${NOT_SHOWN}\\p{Z}]([^${NOT_SHOWN}]|[\\u200C\\u200D])*$`,
  description: 'The name that its owner has given it',
})

export const FactorSchema = Type.Object(
  {
    id: Type.String(),
    kind: Type.String({ description: '`passkey`, `totp` or `email`' }),
    name: Type.String(),
    created_at: Timestamp,
    last_used_at: NullableTime,
    backed_up: Type.Optional(
      Type.Boolean({ description: 'For a passkey: whether it was copied to other devices of its owner' }),
    ),
  },
  { ...CLOSED, $id: 'Factor', description: 'A second factor of the account' },
)

export function factorResponse({ factor, ...listed }: OwnFactor): Static<typeof FactorSchema> {
  return {
    id: listed.id,
    kind: factor.method,
    name: listed.name,
    created_at: rfc3339(listed.createdAt),
    last_used_at: listed.lastUsedAt === null ? null : rfc3339(listed.lastUsedAt),
    ...(listed.backedUp !== undefined && { backed_up: listed.backedUp }),
  }
}

type Room = Pick<FactorsRoom, 'accessTokens' | 'accountTokens' | 'clock'>

/** Writes the answer to a verified challenge. It has recovery codes only when they were just made. */
export function verifiedResponse(
  room: Room,
  { signIn, recoveryCodes }: Verified,
): Static<typeof SignInSchema> {
  return { ...signInResponse(room, signIn), ...(recoveryCodes && { recovery_codes: recoveryCodes }) }
}

export function confirmedResponse(
  room: Room,
  { grant, recoveryCodes }: EnrolledInSession,
): Static<typeof ConfirmedSchema> {
  return { ...tokenResponse(room, grant), ...(recoveryCodes && { recovery_codes: recoveryCodes }) }
}
